"""The blocks of a page, and whether what a command prints is what the page says."""

import re

WORDS = {"kafka", "exit", "figures", "timing", "terminal", "wait", "interrupt", "quoted", "file"}


class Differs(Exception):
    """Something is not as the page says."""


class Block:
    """A block of code of a page: the number of its first line, the words of its fence, its lines."""

    def __init__(self, page, at, fence):
        self.page, self.at, self.lines = page, at, []
        self.language, *words = fence.split() or [""]
        self.words = dict(word.split("=", 1) if "=" in word else (word, "") for word in words)
        if unknown := set(self.words) - WORDS:
            raise Differs(f"{page}:{at - 1}: no word {', '.join(sorted(unknown))} is known: there are {', '.join(sorted(WORDS))}")

    def commands(self):
        """Each command with what it prints, as (number, line) each."""
        found = []
        for number, line in enumerate(self.lines, self.at):
            if line.startswith("$ "):
                found.append([line[2:], number, []])
            elif found and not found[-1][2] and found[-1][0].endswith("\\"):
                found[-1][0] += "\n" + line
            elif found:
                found[-1][2].append((number, line))
            else:
                raise Differs(f"{self.page}:{number}: a console begins with a command: $ ...")
        return found


def blocks(page, text):
    """The blocks of a page, in order."""
    found, fence = [], None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"(`{3,})(.*)", line)
        if fence is None and mark:
            fence = mark[1]
            found.append(Block(page, number + 1, mark[2]))
        elif mark and mark[1] == fence and not mark[2].strip():
            fence = None
        elif fence:
            found[-1].lines.append(line)
    if fence:
        raise Differs(f"{page}:{found[-1].at - 1}: this block has no end")
    return found


NUMBER = r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?"
SAME = [
    (r"\x1b\[[0-9;?]*[A-Za-z]", ""),
    (r"\b\d{8}T\d{6}Z", "TIME"),
    (r"\bpid \d+", "pid #"),
    (r'"(\w+_us)":\d+', r'"\1":#'),
    (r"\b\d+\.\d+\.\d+\b(?: \([0-9a-f]{7,}\))?", "VERSION"),
    (r", \d+ cores? .*$", ", MACHINE"),
    (NUMBER + r" ?(?:ns|us|ms|s|min|h)\b", "# s"),
    (NUMBER + r" ?(?:frames|[kMG]?B)/s", "# /s"),
]


def plain(line, words=()):
    """A line without what may differ."""
    line = line.rsplit("\r", 1)[-1]
    if "timing" in words:
        line = settled(line)
    for pattern, word in SAME:
        line = re.sub(pattern, word, line)
    if "figures" in words:
        line = re.sub(NUMBER, "#", line)
        line = re.sub(r"(?<=\s)-(?=\s|$)", "#", line)
    return " ".join(line.split())


def settled(line):
    """A line of a result, or below a table of them, without what corrections change."""
    cells = line.split()
    if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d +[\d,]+ users ", line):
        # As it came: a later line may correct it.
        return " ".join(cells[:2])
    if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d", line):
        # Window, users, the truth if it is there, and the frames: not the first answer, and what came after it.
        return " ".join([*cells[:-3], cells[-1]])
    # A scorecard: what one engine says, and its row.
    line = re.sub(r"^(\S+: \S+): corrected: .*", r"\1: exact", line)
    line = re.sub(r"(?<=\s)corrected \d+(?=\s|$)", "exact", line)
    return re.sub(r"^(exact: [^,;]*|ledger: [^;]*).*", r"\1", line)


def compare(page, expected, printed, words=()):
    """Raises unless the lines are those that the page has; `...` are any lines. Returns what came for each line of the page."""
    wanted = [(number, line, plain(line, words)) for number, line in expected]
    have = [line for line in printed.splitlines()]
    plains = [plain(line, words) for line in have]
    while wanted and not wanted[-1][2]:
        wanted.pop()
    while plains and not plains[-1]:
        plains.pop()
    pieces, is_open = [[]], [False]
    for number, line, same in wanted:
        if same == "...":
            pieces.append([])
            is_open.append(True)
        else:
            pieces[-1].append((number, line, same))
    at, came = 0, []
    for index, piece in enumerate(pieces):
        is_last = index == len(pieces) - 1
        starts = [at] if not is_open[index] else range(at, len(plains) + 1)
        if is_last and is_open[index] and piece:
            starts = [max(at, len(plains) - len(piece))]
        best = max((matched(piece, plains, start), -start) for start in starts)
        length, start = best[0], -best[1]
        if length < len(piece):
            number, line, _ = piece[length]
            there = have[start + length] if start + length < len(plains) else "nothing more"
            raise Differs(f"{page}:{number}: it says\n    {line}\nand what comes is\n    {there}")
        came += [(number, have[start + offset].rstrip()) for offset, (number, _, _) in enumerate(piece)]
        at = start + length
        if is_last and piece and at < len(plains):
            raise Differs(f"{page}:{piece[-1][0]}: after this line comes, unsaid\n    {have[at]}")
    if not wanted and plains:
        number = expected[0][0] if expected else "?"
        raise Differs(f"{page}:{number}: it shows no output, and there is some\n    {have[0]}")
    return came


def matched(piece, plains, start):
    """How many lines of a piece are there, from a start on."""
    count = 0
    for _, _, same in piece:
        if start + count >= len(plains) or plains[start + count] != same:
            break
        count += 1
    return count


def edited(text, edits):
    """A page with other outputs: each edit has the number of the command's line, how many lines follow, and what comes there."""
    lines = text.splitlines()
    for number, count, new in sorted(edits, reverse=True):
        lines[number:number + count] = new
    return "\n".join(lines) + "\n"


def requoted(page, text, guide):
    """A page whose quotations have the outputs that the guide has for their commands."""
    outputs = {command: [line for _, line in printed] for block in blocks(*guide) if block.language == "console"
               and "quoted" not in block.words for command, _, printed in block.commands()}
    edits = [(number + command.count("\n"), len(printed), outputs[command]) for block in blocks(page, text)
             if "quoted" in block.words for command, number, printed in block.commands() if command in outputs]
    return edited(text, edits)


def check_quotes(page, text, guide):
    """Blocks that are run in the guide stand there as they are here, in one piece; `guide` is its name and its text."""
    runnable = ["\n".join(block.lines) + "\n" for block in blocks(*guide)
                if block.language == "console" and "quoted" not in block.words]
    for block in blocks(page, text):
        if "quoted" in block.words and not any("\n".join(block.lines) + "\n" in one for one in runnable):
            raise Differs(f"{page}:{block.at}: no block that is run in {guide[0]} has these lines")
