"""Keys that servers and clients like to get wrong, by name."""

CONTROLS = "".join(map(chr, range(32))) + "\x7f"

KEYS = {
    "control chars": CONTROLS,
    "dot": ".",
    "dot dot": "..",
    "punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "leading space": " leading space",
    "leading tilde": "~leading tilde",
    "leading CR": "\rleading CR",
    "leading LF": "\nleading LF",
    "leading HT": "\tleading HT",
    "leading VT": "\x0bleading VT",
    "leading dot": ".leading dot",
    "trailing space": "trailing space ",
    "trailing CR": "trailing CR\r",
    "trailing LF": "trailing LF\n",
    "trailing HT": "trailing HT\t",
    "trailing VT": "trailing VT\x0b",
    "trailing dot": "trailing dot.",
    "URL encoding": "test%46.txt",
    "double slash": "a//b",
    "parent": "a/../b",
    "leading slash": "/lead",
    "plus": "a+b c%2Bd",
    "emoji": "na\u00efve/\u65e5\u672c\u8a9e/\U0001f980.txt",
    "trailing slash": "dir/",
    "1024 bytes": "k" * 1024,
}
