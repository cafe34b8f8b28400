import Reporting
import Testing

struct HTMLTests {
  @Test func whatIsInterpolatedIsEscapedUnlessItIsMarkup() {
    let name = "<script>alert('a' & \"b\")</script>"
    let escaped = "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;"
    let page: HTML = "<p title=\"\(name)\">\(name)</p>"
    #expect(page.text == "<p title=\"\(escaped)\">\(escaped)</p>")
    let outer: HTML = "<div>\(page)</div>"
    #expect(outer.text == "<div>" + page.text + "</div>")
    let list: HTML = "<ul>\([page, "<li>\(3)</li>"])</ul>"
    #expect(list.text == "<ul>" + page.text + "\n<li>3</li></ul>")
  }

  @Test func lettersOfAllScriptsStay() {
    let page: HTML = "\("größer 漢字 👍🏽 e\u{301}")"
    #expect(page.text == "größer 漢字 👍🏽 e\u{301}")
  }
}
