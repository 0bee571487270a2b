"""A frame, and a clock that believes no single one: what the engines in Python share. It needs orjson."""

import orjson

LARGEST_TS = 253402300799  # the last second of the year 9999
MAX_JUMP_S = 3600  # a clock believes a longer jump only when AGREEING frames in a row say the same
AGREEING = 8


def read_frame(value):
    """The user and the time of a frame, or None if it is none."""
    try:
        frame = orjson.loads(value)  # None, for a message without a value, is refused as well
    except orjson.JSONDecodeError:
        return None
    if type(frame) is not dict:
        return None
    uid = frame.get("uid")
    if type(uid) is not str or not uid:
        return None
    ts = frame.get("ts")
    if type(ts) is str:
        ts = ts.lstrip("0") or ts[-1:]
        if not (len(ts) <= 12 and ts.isascii() and ts.isdigit()):
            return None
        ts = int(ts)
    elif type(ts) is not int:  # a bool is no int here
        return None
    return (uid, ts) if 0 <= ts <= LARGEST_TS else None


class Clock:
    """The greatest time of a partition that is believed; None before there is one."""

    def __init__(self, clock=None):
        self.clock = clock
        self.agreed = self.run_start = self.run_greatest = 0

    def observe(self, ts):
        if self.clock is not None and ts <= self.clock + MAX_JUMP_S:
            self.agreed = 0
            if ts > self.clock:
                self.clock = ts
            return
        if self.agreed and abs(ts - self.run_start) <= MAX_JUMP_S:
            self.agreed += 1
            self.run_greatest = max(self.run_greatest, ts)
        else:
            self.agreed, self.run_start, self.run_greatest = 1, ts, ts
        if self.agreed == AGREEING:
            self.agreed, self.clock = 0, self.run_greatest
