"""Lines and links of the pages."""

import re
import subprocess
import textwrap

WIDTH = 160
README_LINES = 150
ITEM = r"\s*(?:[-*]|\d+\.) "


def slug(heading):
    """The anchor that GitHub gives a heading."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def outside_code(text):
    """The lines that are not code, with their numbers."""
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield number, line


def anchors(text):
    found = {}
    for _, line in outside_code(text):
        if heading := re.match(r"#+ (.*)", line):
            name = slug(heading[1])
            found[name] = found.get(name, -1) + 1
    return {name if not number else f"{name}-{number}" for name, last in found.items() for number in range(last + 1)}


def check_text(root, pages):
    """All that is wrong with lines and links."""
    wrong = []
    for page in pages:
        text = (root / page).read_text()
        lines = text.splitlines()
        wrong += [f"{page}:{number}: {len(line)} characters, more than {WIDTH} (scripts/check-docs --fold folds paragraphs)"
                  for number, line in enumerate(lines, 1) if len(line) > WIDTH]
        if page == "README.md" and len(lines) > README_LINES:
            wrong.append(f"{page}:{README_LINES + 1}: {len(lines)} lines, more than {README_LINES}")
        for number, line in outside_code(text):
            for target in re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`]*`", "``", line)):
                if reason := dead(root, page, target):
                    wrong.append(f"{page}:{number}: the link {target} {reason}")
    return wrong


def dead(root, page, target):
    """Why a link leads nowhere, if it does."""
    if re.match(r"[a-z]+:", target):
        return None
    name, _, anchor = target.partition("#")
    path = (root / page).parent / name if name else root / page
    if not path.exists():
        return "leads to nothing"
    # 0: ignored, 1: not, 128: no repository.
    if subprocess.run(["git", "-C", root, "check-ignore", "-q", path.resolve()], stderr=subprocess.DEVNULL).returncode == 0:
        return "leads to what .gitignore keeps out of every clone"
    if anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
        return "leads to no heading of that page"
    return None


def pages_of(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.md"],
                            check=True, capture_output=True, text=True).stdout.split("\n")
    return sorted(name for name in set(listed) if name and (root / name).exists())


def check_mentions(root):
    """Pages that sources name and that are not there."""
    listed = subprocess.run(["git", "-C", root, "grep", "-nIE", r"docs/[a-z-]+\.md", "--", ":!*.md", ":!results", ":!scripts/docs"],
                            capture_output=True, text=True).stdout
    for line in listed.splitlines():
        for name in re.findall(r"docs/[a-z-]+\.md", line):
            if not (root / name).exists():
                yield f"{':'.join(line.split(':', 2)[:2])}: there is no page {name}"


def check_set_up(root):
    """The two commands of README.md, which CI runs as steps of its own."""
    for command in ("./bench.sh", "cargo test"):
        for page in ("README.md", ".ci/run"):
            if not re.search(rf"(?m)(^|' ){re.escape(command)}( |$)", (root / page).read_text()):
                yield f"{page}: has no line with the command {command}"


def fold(text):
    """Paragraphs and items of lists that have a line that is too long, wrapped anew; tables and code stay."""
    lines, item, is_code = [], [], False

    def end_item():
        lines.extend(wrapped(item) if any(len(line) > WIDTH for line in item) else item)
        item.clear()

    for line in text.splitlines():
        if line.startswith("```"):
            is_code = not is_code
        if is_code or not line.strip() or line.startswith(("|", "#", "<", "```", "!")):
            end_item()
            lines.append(line)
            continue
        if re.match(ITEM, line):
            end_item()
        item.append(line)
    end_item()
    return "\n".join(lines) + "\n"


def wrapped(lines):
    indent = re.match(rf"(?:{ITEM})?", lines[0])[0]
    words = " ".join(line.strip() for line in lines)
    # No line may begin as an item of a list does, or as a heading.
    words = re.sub(r" (?=(?:[-*+#>|]|\d+\.) )", "\0", words)
    folded = textwrap.wrap(words, WIDTH, subsequent_indent=" " * len(indent), break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in folded]
