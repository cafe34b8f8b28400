/// The page, its style and its script, which the build embeds in the program.
enum Page {
  static let html = PackageResources.index_html
  static let style = PackageResources.page_css
  static let script = PackageResources.page_js
}
