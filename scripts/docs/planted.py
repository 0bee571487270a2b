"""Plants mistakes in pages, and looks whether they are found."""

import os
import pathlib
import subprocess
import sys
import tempfile

from docs.pages import Differs, blocks, check_quotes, edited, requoted
from docs.running import Run
from docs.text import README_LINES, WIDTH, check_text, fold

PAGE = """# A page

```console timing
$ echo 2016-07-11 13:39 10 10 9 +1 20; echo "exact: 1 of 1 windows, 1 corrected"
2016-07-11 13:39   10  10  10   0  20
exact: 1 of 1 windows, each in its first answer
$ echo "2016-07-11 13:39  9 users  19 frames on time"
2016-07-11 13:39  10 users  20 frames on time
$ echo "plain: kuu: corrected: 1 window, at most 2 s after the first row"; echo "plain  corrected 1  wrong"
plain: kuu: exact
plain  exact  wrong
```

```console
$ echo 1,739 users in 12.5 ms; echo kuu 9.9.9 >&2
1,739 users in 3 ms
kuu 0.1.0
$ seq 5
1
...
5
```

```text file=there/b
x
```

```console exit=3
$ cat there/b; exit 3
x
```

```console terminal=1 exit=130
$ echo ready; trap 'echo stopped; exit 130' INT; while :; do sleep 0.1; done
ready
stopped
```

```console figures interrupt=1
$ echo a 12 b -
a   7,000 b 0.5
```
"""


def try_page(text):
    """The mistake that running a page finds, if any."""
    with tempfile.TemporaryDirectory() as place:
        run = Run("page.md", pathlib.Path(place), dict(os.environ), [], False)
        try:
            for block in blocks("page.md", text):
                run.block(block)
            run.finish()
        except Differs as differs:
            return str(differs)
        finally:
            run.kill()
    return None


def self_test():
    """Plants mistakes, and fails if one is not found where it is."""
    failures = []

    def expect(what, found, words):
        if (found is None) != (words is None) or (words and words not in found):
            failures.append(f"{what}: found {found!r}, not {words!r}")

    expect("a page without a mistake", try_page(PAGE), None)
    for what, before, after, words in [
        ("users of a window", "10  10  10   0  20", "11  10  10   0  20", "page.md:5: it says"),
        ("the truth of a window", "10  10  10   0  20", "10  11  10   0  20", "page.md:5: it says"),
        ("frames of a window", "10  10  10   0  20", "10  10  10   0  21", "page.md:5: it says"),
        ("a number of windows", "1 of 1 windows, each", "2 of 2 windows, each", "page.md:6: it says"),
        ("a minute", "13:39  10 users", "13:40  10 users", "page.md:8: it says"),
        ("a verdict", "plain: kuu: exact", "plain: kuu: wrong", "page.md:10: it says"),
        ("a cell", "exact  wrong", "exact  exact", "page.md:11: it says"),
        ("a number of users", "1,739 users in 3", "1,740 users in 3", "page.md:16: it says"),
        ("a word", "kuu 0.1.0", "kuh 0.1.0", "page.md:17: it says"),
        ("a line too many", "1,739 users in 3 ms\n", "1,739 users in 3 ms\nand more\n", "page.md:17: it says"),
        ("a line too few", "kuu 0.1.0\n", "", "page.md:16: after this line comes"),
        ("the end after any lines", "...\n5", "...\n6", "page.md:21: it says"),
        ("no output said", "exit 3\nx\n", "exit 3\n", "page.md:29: it shows no output"),
        ("an exit status", "exit=3", "exit=2", "page.md:29: exit status 3, not 2"),
        ("an exit status unsaid", " exit=3", "", "page.md:29: exit status 3, not 0"),
        ("a file", "there/b\nx", "there/b\ny", "page.md:30: it says"),
        ("a terminal", "stopped\n```", "stoppt\n```", "page.md:36: it says"),
        ("a terminal's status", "exit=130", "exit=0", "page.md:34: exit status 130, not 0"),
        ("a word among figures", "7,000 b", "7,000 c", "page.md:41: it says"),
        ("a word of a fence", "```console figures", "```console figure", "no word figure is known"),
        ("a block without an end", "0.5\n```", "0.5", "this block has no end"),
        ("no command", "$ seq 5", "seq 5", "page.md:18: it says"),
    ]:
        assert PAGE.count(before) == 1, (what, before)
        expect(what, try_page(PAGE.replace(before, after)), words)
    new = edited("a\n$ x\nold\nolder\nb\n", [(2, 2, ["new"])])
    expect("an edit", None if new == "a\n$ x\nnew\nb\n" else new, None)
    page = "```console quoted\n$ seq 5\n7\n```\n"
    again = requoted("README.md", page, ("docs/guide.md", PAGE))
    expect("a quotation written anew", None if again == "```console quoted\n$ seq 5\n1\n...\n5\n```\n" else again, None)
    quotes = lambda page: raised(lambda: check_quotes("README.md", page, ("docs/guide.md", PAGE)))
    expect("a quotation", quotes("```console quoted\n$ seq 5\n1\n```\n"), None)
    expect("a quotation that differs", quotes("```console quoted\n$ seq 5\n2\n```\n"), "README.md:2: no block")
    expect_text(expect)
    for failure in failures:
        print(f"check-docs: self-test: {failure}", file=sys.stderr)
    print(f"self-test: {'every planted mistake is found' if not failures else 'FAILED'}")
    return 1 if failures else 0


def raised(action):
    try:
        action()
    except Differs as differs:
        return str(differs)
    return None


def expect_text(expect):
    """Mistakes of lines and links."""
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / "b.md").write_text("# A heading, with `code`\n")

        def found(text, page="a.md"):
            (root / page).write_text(text)
            return "\n".join(check_text(root, [page])) or None

        expect("good lines", found(f"[b](b.md#a-heading-with-code) `[no](link)`\n{'x' * WIDTH}\n```\n[no](link)\n```\n"), None)
        expect("a long line", found("x\n" + "x" * (WIDTH + 1)), f"a.md:2: {WIDTH + 1} characters")
        expect("a dead link", found("\n[c](c.md)"), "a.md:2: the link c.md leads to nothing")
        subprocess.run(["git", "-C", root, "init", "-q"], check=True)
        (root / ".gitignore").write_text("kept-out\n")
        (root / "kept-out").touch()
        expect("a link to what is not committed", found("[c](kept-out)"), "a.md:1: the link kept-out leads to what .gitignore keeps out")
        expect("a dead anchor", found("[b](b.md#none)"), "a.md:1: the link b.md#none leads to no heading")
        expect("a long README", found("x\n" * (README_LINES + 1), "README.md"), f"README.md:{README_LINES + 1}: ")
        long = "- " + "a word " * 60
        folded = fold(long)
        expect("a folded line", found(folded), None)
        expect("its words", None if folded.split() == long.split() else folded, None)
