import Orders
import Testing

struct OrderChoiceTests {
  @Test(arguments: [
    ("0", OrderChoice.variant(.identity)), ("7", .variant(.transposeReflectBoth)),
    ("hilbert", .base(.hilbert, .identity)), ("s_curve/3", .base(.sCurve, .reflectBoth)),
    ("s_curve_center_quarter_last/1", .base(.sCurveCenterQuarterLast, .reflectRows)),
    ("random:8", .randoms(count: 8, seed: 0)), ("random:8@5", .randoms(count: 8, seed: 5)),
    ("random/3", .random(index: 3, seed: 0)), ("random/3@18446744073709551615", .random(index: 3, seed: .max)),
    ("spiral.txt", .file("spiral.txt")), ("./spiral", .file("./spiral")),
    ("orders/spiral.order", .file("orders/spiral.order")),
  ])
  func aTextNamesOrders(text: String, choice: OrderChoice) {
    #expect(OrderChoice(text) == choice)
    #expect(OrderChoice(choice.description) == choice)
  }

  @Test(arguments: [
    "", "8", "-1", "hilbrt", "hilbert/8", "hilbert/", "hilbert/a", "random", "random:", "random:0", "random:-2",
    "random:10001", "random:3@", "random:3@-1", "random/10000", "random/-1", "random/1@x", "spiral",
  ])
  func otherTextsNameNone(text: String) {
    #expect(OrderChoice(text) == nil)
  }

  @Test func severalRandomOrdersAreThoseWithTheirIndices() {
    #expect(
      OrderChoice.randoms(count: 3, seed: 2).single
        == [.random(index: 0, seed: 2), .random(index: 1, seed: 2), .random(index: 2, seed: 2)])
    #expect(OrderChoice.variant(.transpose).single == [.variant(.transpose)])
  }
}
