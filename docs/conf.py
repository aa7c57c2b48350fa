"""How Sphinx builds these pages: ``sh docs/build.sh``. Nothing is fetched."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

from bidsify.version import __version__  # noqa: E402  it is found now

project = "bidsify"
release = version = __version__
language = "en"
smartquotes = False  # options stay as they are typed
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "from_code",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"bidsify {release}"
html_show_copyright = False
html_copy_source = False

# Links to headings, as GitHub names them.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
python_trailing_comma_in_multi_line_signatures = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# With -n each cross-reference must lead somewhere. Types of signatures are exempt: those of other
# packages are not here, and many of ours are named where they are used only.
nitpick_ignore_regex = [("py:(class|exc|obj)", r".*")]
