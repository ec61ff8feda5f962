"""Counts checks and prints a line for each."""

import sys


class Checks:
    """Counts what passed and stops at what did not."""

    def __init__(self):
        self.passed = 0

    def ok(self, condition, what, detail=""):
        if not condition:
            print(f"FAILED  {what}  {detail}")
            print(f"{self.passed} passed, 1 failed")
            sys.exit(1)
        self.passed += 1
        print(f"ok      {what}", flush=True)

    def equal(self, found, wanted, what):
        self.ok(found == wanted, what, f"found {found!r}, wanted {wanted!r}")

    def end(self):
        print(f"{self.passed} passed, 0 failed")
