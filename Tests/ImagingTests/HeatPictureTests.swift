import Imaging
import Orders
import Testing

struct HeatPictureTests {
  private static let size = ImageSize(rows: 2, columns: 3)

  private func luma(_ pixel: [UInt8]) -> Int { 299 * Int(pixel[0]) + 587 * Int(pixel[1]) + 114 * Int(pixel[2]) }

  @Test func largerNumbersAreLighterOnOneScale() {
    let values = [0.0, 1, 2, 3, 4, 5]
    let picture = HeatPicture.draw(
      rows: [[.values(values, marked: nil), .values(values.map { $0 * 2 }, marked: nil)]], headings: ["a", "b"],
      size: Self.size, scale: 4, unit: "nats")
    // Tiles begin 12 pixels from the left and 30 from the top, with 12 between them.
    func first(_ pixel: Int) -> [UInt8] { picture[31 + pixel / 3 * 4, 13 + pixel % 3 * 4] }
    func second(_ pixel: Int) -> [UInt8] { picture[31 + pixel / 3 * 4, 37 + pixel % 3 * 4] }
    for pixel in 1..<6 { #expect(luma(first(pixel)) > luma(first(pixel - 1)), "\(pixel)") }
    // The first tile's 2 and 4 are the second's 1 and 2.
    #expect(first(2) == second(1) && first(4) == second(2))
  }

  @Test func aMarkedPixelIsFramedAndWhatIsNoNumberStandsOut() {
    func draw(_ values: [Double], marked: Int?) -> PNGImage {
      HeatPicture.draw(
        rows: [[.values(values, marked: marked)]], headings: ["field"], size: Self.size, scale: 5, unit: "")
    }
    let plain = draw([0, 0, 0, 0, 0, 1], marked: nil)
    let marked = draw([0, 0, 0, 0, 0, 1], marked: 4)
    #expect(plain[30 + 5 - 1, 12 + 5] != marked[30 + 5 - 1, 12 + 5])
    #expect(plain[30 + 7, 12 + 7] == marked[30 + 7, 12 + 7])
    let broken = draw([0, .nan, 0, 0, .infinity, 1], marked: nil)
    #expect(broken[32, 19] == broken[37, 19] && broken[32, 19] != plain[32, 19])
    #expect(broken[37, 24] == plain[37, 24])
  }

  @Test func imagesAreShownAsTheyAre() {
    let image = PNGImage(size: Self.size, color: [200, 100, 50])
    let picture = HeatPicture.draw(
      rows: [[.image(image), .values([0, 0, 0, 0, 0, 0], marked: nil)]], headings: ["image", "x"], size: Self.size,
      scale: 3, unit: "")
    #expect(picture[31, 13] == [200, 100, 50])
  }
}
