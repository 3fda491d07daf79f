# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios by name; see tools/fault."""
import argparse
import os
import pathlib
import sys
import uuid

from scenarios import SCENARIOS, Run


def show(result):
    print(f"  faults injected    {result.injected}:"
          f" {', '.join(f'{n} {count}' for n, count in result.faults.items())}")
    print("  calls              " + ", ".join(f"{n} {code}" for code, n in sorted(result.outcomes.items(),
                                                                                   key=lambda x: -x[1])))
    if result.normal:
        times = sorted(result.normal)
        print(f"  seconds to normal  median {times[len(times) // 2]:.2f}, most {times[-1]:.2f}, of {len(times)}")
    if result.waits:
        print(f"  a reader waited    p50 {result.waits[len(result.waits) // 2] * 1000:.0f} ms,"
              f" p99 {result.waits[len(result.waits) * 99 // 100] * 1000:.0f} ms, {len(result.waits)} times under faults")
    print(f"  server's memory    at most {result.memory_mib} MiB resident")
    print(f"  violations         {len(result.violations)}")
    for violation in result.violations[:8]:
        print(f"    {violation}"[:300])
    if result.violations:
        print(f"  every call is in   {result.log}")


def main():
    parser = argparse.ArgumentParser(prog="tools/fault", description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seconds", type=float, help="of faults in each scenario")
    parser.add_argument("--long", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--look", action="store_true", help=argparse.SUPPRESS)  # at the command line, and no more
    parser.add_argument("--seed", default=os.environ.get("EDU_TEST_SEED") or uuid.uuid4().hex[:8])
    parser.add_argument("--log-dir", default=str(pathlib.Path.cwd()))
    options = parser.parse_args()
    if options.list:
        for scenario in SCENARIOS.values():
            print(f"  {scenario.name:<20} {scenario.about}")
        return 0
    unknown = [n for n in options.names if n not in SCENARIOS]
    if unknown or not options.names:
        parser.error(f"no such scenario: {', '.join(unknown)}" if unknown else "name a scenario, or --list")
    if options.look:
        return 0
    failed = []
    pathlib.Path(options.log_dir).mkdir(parents=True, exist_ok=True)
    for name in options.names:
        scenario = SCENARIOS[name]
        seconds = options.seconds or (60 if options.long else scenario.short)
        print(f"\n{name}: {scenario.about} ({seconds:g} s, --seed {options.seed})", flush=True)
        result = Run(scenario, options.seed, seconds, options.log_dir).run()
        show(result)
        if not result.injected:
            print("  not one fault was injected: this shows nothing")
        if result.violations or not result.injected:
            failed.append(name)
        else:
            result.log.unlink()
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
