"""How Sphinx builds the site: ``make docs`` writes it to ``build/site``."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

import necroangle  # noqa: E402

project = "necroangle"
author = "necroangle developers"
project_copyright = "necroangle developers, BSD-3-Clause"
version = release = necroangle.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "site_parts",
]
exclude_patterns = ["notebooks"]
suppress_warnings = ["ref.python"]  # two classes may have an attribute of one name

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

smartquotes_action = "qe"  # two dashes stay two: they begin an option

html_theme = "pydata_sphinx_theme"
html_title = f"necroangle {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "reference/columns": [],
        "reference/entries": [],
    },
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
