"""Sphinx's settings for the course's site; `course_lib/authoring/site/build.py` adds those that depend on the build."""

extensions = ["myst_nb", "sphinx_copybutton", "course_lib.authoring.site.extension"]
project = html_title = "Generative models, hands on"
language = "en"
smartquotes = False

html_theme = "furo"
html_favicon = "static/favicon.svg"
html_theme_options = {"navigation_with_keys": False}
html_math_renderer = "course_katex"
html_css_files = ["katex/katex.min.css", "course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
templates_path = ["templates"]
html_sidebars = {"**": ["sidebar/brand.html", "sidebar/search.html", "sidebar/scroll-start.html", "sidebar/course.html",
                        "sidebar/navigation.html", "sidebar/scroll-end.html"]}
html_show_search_summary = False  # it would fetch pages, which no browser allows where they are files
html_copy_source = html_show_sourcelink = html_show_copyright = html_show_sphinx = False
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"
copybutton_selector = "div.cell_input div.highlight pre"

myst_enable_extensions = ["dollarmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 6
myst_heading_slug_func = "course_lib.authoring.site.extension.slug"
nb_execution_mode = "off"  # the course runs its notebooks itself
nb_ipywidgets_js = {}  # else pages with a widget load scripts from elsewhere
nb_merge_streams = True
nb_output_stderr = "remove"
suppress_warnings = ["config.cache"]  # KaTeX's process is handed over as a setting, and no file can keep it
