import Kernels
import Testing

struct AdditionTests {
  @Test(arguments: ActivationExample.all)
  func addsElementByElement(example: ActivationExample) {
    let x = example.matrix(0)
    let y = example.matrix(1)
    let expected = zip(x.values, y.values).map { $1 + $0 }
    Addition.add(x, to: y, pool: ThreadPool(threads: 2))
    #expect(y.values == expected)
  }
}
