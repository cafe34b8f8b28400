print("lmconv")
