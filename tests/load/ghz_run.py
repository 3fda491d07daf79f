# SPDX-License-Identifier: Apache-2.0
"""Runs ghz by the profiles of tests/load/ghz and says what it saw; see tools/load."""
import argparse
import collections
import contextlib
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from stack import PASSWORD, Stack  # noqa: E402
from wire import Refused  # noqa: E402
from world import World, progress  # noqa: E402

GHZ = pathlib.Path(os.environ.get("EDU_GHZ", ROOT / "build" / "tools" / "ghz"))  # its directory
PROFILES = HERE / "ghz"
COLUMNS = f"{'call':<32}{'calls/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'OK':>9}{'not OK':>8}"


def profiles():
    """Each method's own, by its name: a configuration of ghz as it stands."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(PROFILES.glob("[A-Z]*.json"))}


def jobs():
    """What runs at the same time, by the job's name: profiles with what the job changes in them."""
    own = profiles()
    return {name: [{**own[change["profile"]], **{k: v for k, v in change.items() if k != "profile"}}
                   for change in changes]
            for name, changes in json.loads((PROFILES / "jobs.json").read_text()).items()}


def runs():
    return {**{name: [profile] for name, profile in profiles().items()}, **jobs()}


class Report:
    """What ghz saw, read from the HTML that it wrote. The figures are those of the calls that answered OK."""

    def __init__(self, name, html, overloads=False):
        calls = json.loads(re.search(r"const rawData = (.*);\n", html.read_text(encoding="utf-8"))[1]) or []
        good = [call for call in calls if call["status"] == "OK"]
        self.name, self.ok = name, len(good)
        self.refused = collections.Counter(call["error"].replace("rpc error: ", "") for call in calls
                                           if call["status"] != "OK")
        self.unexpected = sum(n for text, n in self.refused.items() if not (overloads and "code = Unavailable" in text))
        self.latencies = sorted(call["latency"] / 1e6 for call in good)
        ended = sorted(datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*|Z$", r"\1", call["timestamp"]))
                       for call in good)
        seconds = (ended[-1] - ended[0]).total_seconds() + self.latencies[0] / 1e3 if good else 0
        self.rate = len(good) / seconds if seconds else 0

    def percentile(self, p):
        return self.latencies[min(len(self.latencies) - 1, len(self.latencies) * p // 100)] if self.latencies else 0

    def show(self):
        progress()
        print(f"{self.name:<32}{self.rate:>9,.0f}" + "".join(f"{self.percentile(p):>9.1f}" for p in (50, 95, 99)) +
              f"{self.ok:>9,}{sum(self.refused.values()):>8,}", flush=True)
        for text, n in self.refused.most_common():
            print(f"    {n:,} x {text}", flush=True)


def bound(profile, options):
    """What ends it: the number of calls, or time."""
    if options.calls:
        return {"total": min(options.calls, profile.get("total", options.calls))}
    return {} if "total" in profile else {"duration": f"{options.seconds}s", "duration-stop": "wait"}


def start(profile, file, target, environment, options):
    """ghz on a profile; what is not ghz's in it is ours: whether the job means to overload the server."""
    report = {"format": "html", "output": str(options.out / f"{file}.html")}
    config = {**profile, **bound(profile, options), **report, "host": target, "insecure": True}
    config.pop("overloads", None)
    config["concurrency"] = min(config["concurrency"], config.get("total", config["concurrency"]))  # ghz asks for it
    path = options.out / f"{file}.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    return subprocess.Popen([GHZ / "ghz", "--config", path], env={**os.environ, **environment}, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def run(name, together, world, target, options):
    """Prepares, runs ghz on each profile at the same time, shows what it saw; returns the reports."""
    together = world.prepare(together)
    progress(f"  running: {name}")
    labels = [name if len(together) == 1 else f"{name}: {profile['name']}" for profile in together]
    files = [label.replace(": ", "-") for label in labels]
    started = [start(profile, file, target, world.env, options) for profile, file in zip(together, files)]
    reports = []
    for process, profile, label, file in zip(started, together, labels, files):
        said = process.communicate()[0]
        if process.returncode:
            raise SystemExit(f"tools/load: ghz failed on {label}: {said[:500]}")
        reports.append(Report(label, options.out / f"{file}.html", profile.get("overloads", False)))
        reports[-1].show()
    return reports


LEDGER = "SELECT currency_code, SUM(amount), COUNT(*) FROM ledger_entry GROUP BY currency_code"
FAULTS = {
    "wallets that are not the sum of their entries": """
        SELECT COUNT(*) FROM wallet w WHERE w.balance <> (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entry e
        WHERE e.account_kind = 1 AND e.owner_id = w.owner_id AND e.currency_code = w.currency_code)""",
    "purchases that were not paid exactly once": """
        SELECT COUNT(*) FROM charge c WHERE c.charged > 0 AND 1 <> (SELECT COUNT(*) FROM ledger_transaction t
        WHERE t.transaction_id = c.transaction_id AND t.cause_kind = 2 AND t.cause_id = c.charge_id AND t.step = 0)""",
}


def ledger_balances(sql):
    """Prints the ledger's sums; whether they are what they must be."""
    sums = sql(LEDGER)
    for currency, total, entries in sums:
        print(f"ledger: {int(entries):,} entries in {currency} sum to {total}")
    faults = {what: int(sql(statement)[0][0]) for what, statement in FAULTS.items()}
    for what, n in faults.items():
        print(f"ledger: {n:,} {what}")
    return not any(faults.values()) and all(int(total) == 0 for _, total, _ in sums)


def mariadb(flags):
    """Rows of a statement by the mariadb client, as lists of strings."""
    def sql(statement):
        out = subprocess.run(["mariadb", *flags, "--batch", "--skip-column-names"], input=statement, text=True,
                             check=True, capture_output=True).stdout
        return [line.split("\t") for line in out.splitlines()]
    return sql


def load(options, target, admin, password, sql):
    """Runs what was chosen; true when every call answered OK, or may be refused, and the ledger balances."""
    chosen = {name: together for name, together in runs().items() if not options.names or name in options.names}
    sql(LEDGER)  # now rather than at the end, should the database not be there
    os.umask(0o077)  # configurations and reports hold tokens
    options.out.mkdir(parents=True, exist_ok=True)
    subprocess.run([ROOT / "tools" / "lib" / "ghz.sh", GHZ], check=True)
    world, reports = World(target, admin, password), []
    print(COLUMNS)
    with contextlib.closing(world):
        for name, together in chosen.items():
            reports += run(name, together, world, target, options)
    print(f"\nghz's reports: {options.out}/*.html")
    balanced = ledger_balances(sql)
    unexpected = sum(report.unexpected for report in reports)
    if not balanced:
        print("tools/load: the ledger is off", file=sys.stderr)
    if unexpected:
        print(f"tools/load: {unexpected:,} calls did not answer OK", file=sys.stderr)
    return balanced and not unexpected


def parse():
    parser = argparse.ArgumentParser(prog="tools/load", add_help=False, allow_abbrev=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "load")
    parser.add_argument("--target")
    parser.add_argument("--admin", default="admin")
    parser.add_argument("--password-file", type=argparse.FileType())
    parser.add_argument("--mariadb", default="")
    options = parser.parse_args()
    if options.target and not (options.password_file and options.mariadb):
        parser.error("--target needs --password-file, the administrator's, and --mariadb, to sum the ledger")
    return options


def run_chosen(options):
    if options.target:
        password = options.password_file.readline().rstrip("\n")
        return load(options, options.target, options.admin, password, mariadb(options.mariadb.split()))
    with Stack("--access-token-seconds", "7200", "--argon2-mib", "19", "--argon2-passes", "2") as stack:
        return load(options, stack.target, "root-admin", PASSWORD, stack.sql)


def main():
    options = parse()
    try:
        sys.exit(0 if run_chosen(options) else 1)
    except Refused as refused:
        sys.exit(f"tools/load: cannot prepare: {refused}")
    except subprocess.CalledProcessError as failed:
        sys.exit(f"tools/load: {failed.cmd[0]} failed: {failed.stderr}")


if __name__ == "__main__":
    main()
