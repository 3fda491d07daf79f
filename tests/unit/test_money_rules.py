# SPDX-License-Identifier: Apache-2.0
"""What the server posts, held against the law of the ledger (data/ledger_law.md), which is read and evaluated here: by the
worked examples and on thousands of random inputs. And it would be noticed: one minor unit more in any line of the law fails.

Usage: test_money_rules.py MONEY_POSTINGS"""
import pathlib
import random
import subprocess
import sys
import unittest

LAW = pathlib.Path(__file__).parent / "data" / "ledger_law.md"
PROGRAM = sys.argv.pop(1)
WHOLE = 10000
ROUNDS = 4000
OWNERS = {"0": 0, "buyer": 1, "user": 1, "provider": 2, "jurisdiction": 3}
FIRST_SELLER = 100


def tables(text):
    """Each as its rows, the head first."""
    found = []
    for line in text.splitlines() + [""]:
        if not line.startswith("|"):
            found.append([])
        elif set(line) - set("|- "):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
    return [table for table in found if table]


class Law:
    def __init__(self, text):
        def table(*head):
            return next(t[1:] for t in tables(text) if t[0][:len(head)] == list(head))
        self.accounts = {name: int(kind) for kind, name, *_ in table("kind", "account")}
        self.keys = {rule: key for rule, _, key, _ in table("rule", "when")}
        self.lines, rule = {}, ""
        for name, account, owner, amount in table("rule", "account"):
            rule = name or rule
            self.lines.setdefault(rule, []).append([account, owner, amount])
        self.examples = table("example", "inputs", "amounts")

    def amounts(self, rule, whole, values):
        """(account, owner, amount) of each line, those of zero too; shares are in parts of `whole`."""
        def share(x, part):
            return x * part // whole
        entries = []
        for account, owner, amount in self.lines[rule]:
            for i in range(len(values["bp"]) if owner == "seller[i]" else 1):
                rest = -sum(entry[2] for entry in entries)
                entries.append((self.accounts[account], FIRST_SELLER + i if owner == "seller[i]" else OWNERS[owner],
                                eval(amount, {"__builtins__": {}}, {"share": share, "rest": rest, "i": i, **values})))
        return entries


class Input:
    """One for the program and the same for the law."""

    def __init__(self, rule, total, tax=0, platform=0, shares=()):
        self.rule, self.line = rule, " ".join(map(str, (rule, total, tax, platform, *shares)))
        effective = [(WHOLE - platform) * share for share in shares]
        self.values = {"X": total, "T": total, "x": tax, "N": total - tax, "bp": effective,
                       "pbp": WHOLE * WHOLE - sum(effective)}

    def of(self, law):
        return law.amounts(self.rule, WHOLE * WHOLE, self.values)


def money(rng):
    return rng.choice((1, 2, 3, rng.randint(1, 999), rng.randint(1, 10**6), rng.randint(1, 10**12), rng.randint(1, 2**63 - 1)))


def top_up(rng):
    return Input("top_up", money(rng))


def purchase(rng):
    total, left, shares = money(rng), WHOLE, []
    for _ in range(rng.randint(0, 10)):
        shares.append(rng.choice((0, left, rng.randint(0, left))))
        left -= shares[-1]
    rng.shuffle(shares)
    tax = rng.choice((0, 0, total * 19 // 119, total * 6 // 106, rng.randint(0, total)))
    return Input("purchase", total, tax, rng.choice((0, 3000, WHOLE, rng.randint(0, WHOLE))), shares)


DRAWN = {"top_up": top_up, "purchase": purchase}  # a rule that gets a row in the code gets one here


def run(*arguments, **how):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True, **how).stdout.splitlines()


def posted(inputs):
    return [[tuple(map(int, entry.split(":"))) for entry in line.split()]
            for line in run(input="".join(i.line + "\n" for i in inputs))]


def differences(law, inputs, postings):
    for i, posting in zip(inputs, postings, strict=True):
        wanted = [entry for entry in i.of(law) if entry[2]]
        if posting != wanted:
            yield f"{i.line}: the law says {wanted}, posted was {posting}"


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rng = random.Random(1)
        cls.text = LAW.read_text(encoding="utf-8")
        cls.law = Law(cls.text)
        cls.rules = dict(line.split() for line in run("rules"))
        cls.inputs = [DRAWN[rule](rng) for rule in cls.rules for _ in range(ROUNDS)]
        cls.postings = posted(cls.inputs)

    def test_accounts_have_their_numbers(self):
        self.assertEqual(run("accounts"), [f"{kind} {name}" for name, kind in self.law.accounts.items()])

    def test_every_rule_of_the_code_is_law_and_has_its_cause(self):
        self.assertEqual({rule: self.law.keys[rule].split()[0].strip(",") for rule in self.rules}, self.rules)

    def test_the_law_is_whole(self):
        self.assertEqual(list(self.law.keys), list(self.law.lines))
        for rule, lines in self.law.lines.items():
            self.assertLessEqual({account for account, _, _ in lines}, set(self.law.accounts), rule)

    def test_random_inputs(self):
        self.assertEqual(next(differences(self.law, self.inputs, self.postings), None), None)

    def test_transactions_balance_and_rounding_is_small(self):
        for i, posting in zip(self.inputs, self.postings):
            self.assertEqual(sum(amount for _, _, amount in posting), 0, i.line)
            rounding = sum(amount for account, _, amount in posting if account == self.law.accounts["rounding"])
            self.assertIn(rounding, range(len(i.values["bp"]) + 1), i.line)

    def test_worked_examples(self):
        tried = 0
        for rule, inputs, amounts in self.law.examples:
            if rule not in self.rules:
                continue
            values = eval(f"dict({inputs})", {"__builtins__": {"dict": dict}})
            wanted = [int(amount) for amount in amounts.split(",")]
            self.assertEqual([entry[2] for entry in self.law.amounts(rule, WHOLE, values)], wanted, inputs)
            found = posted([Input(rule, values["T"], values["x"], 0, values["bp"])])[0]
            self.assertEqual([amount for _, _, amount in found], [amount for amount in wanted if amount], inputs)
            tried += 1
        self.assertGreater(tried, 0)

    def test_a_minor_unit_more_in_any_line_fails(self):
        for rule in self.rules:
            for at in range(len(self.law.lines[rule])):
                law = Law(self.text)
                law.lines[rule][at][2] += " + 1"
                self.assertNotEqual(next(differences(law, self.inputs, self.postings), None), None, law.lines[rule][at])


if __name__ == "__main__":
    unittest.main()
