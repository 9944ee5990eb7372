"""Texts that programs stumble over."""

from __future__ import annotations

from hypothesis import strategies as st

MARKUP = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "</title></style></textarea><iframe src=//e.example>",
    "javascript:alert(1)",
    "`<b>`",
    "{{ 7 * 7 }}{% raw %}",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "[link](javascript:alert(1))",
    "![x](http://e.example/x.png)",
)
PATHS = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "~/x",
    "a/../../b",
    "..\\..\\x",
    "C:\\x",
    "file:///etc/passwd",
    "\\\\host\\share",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/environ",
    "a\0b",
    "x" * 300,
    "a/" * 600,
    "con",
    "-rf",
    "$(id)",
    "`id`",
    "; id",
)
CONTROLS = (
    "\x00", "\x07", "\x1b[2J\x1b]0;x\x07", "\x7f", "\x85", "\x9b31m", "\u202e", "\u2028", "\ufeff", "\u200b",
    "\ufffe", "\r\n", "\t", "e\u0301", "\U0001f4a9", "\ud800",
)  # fmt: skip
NUMBERS = (
    "1e400", "-1e400", ".nan", ".inf", "-.inf", "NaN", "1" * 5000, "0x" + "f" * 400, "1_000", "0o777", "1:30:00",
    "1e-400",     "9223372036854775808", "-0", "0.1e99999999999",
)  # fmt: skip

hostile = st.sampled_from((*MARKUP, *PATHS, *CONTROLS, *NUMBERS)) | st.text(max_size=30)
"""A text that is one of these, or any."""
names = st.sampled_from(MARKUP) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40
)
"""A name as data may bring one."""
