#!/usr/bin/env python3
"""What peers.py makes of its measurements: no library, no package."""
import pathlib
import tempfile
import unittest
import xml.etree.ElementTree

import peers
import peers_report as report


def results(peer_ns, ours_ns, peer_start=1000.0, ours_start=400.0, dtype="f32"):
    """torch against libactfn at one size: [(peer, ours)] of N(0, 1.5) and of the uniform input."""
    n = report.GOAL_SIZE
    time = {"1 normal": [[peer_start, ours_start]] * 3}
    for dist, theirs, own in zip(peers.DISTS, peer_ns, ours_ns):
        time[f"{n} {dist}"] = [[peer_start + f * n * theirs, ours_start + f * n * own]
                               for f in (1.0, 3.0, 1.0)]
    accurate = {"has": True, "notes": [], "ulp": 0.5, "over": 0.0, "edges": []}
    return {
        "context": {"machine": "a machine", "dtype": dtype}, "date": "a day", "commit": "a commit",
        "command": "./dev peers", "absent": {"jax": "a reason"},
        "chosen": {"peers": ["torch"], "kinds": ["tanh"], "ops": ["fwd"], "n": [n]},
        "about": {p: {"version": "1", "threads": "1"} for p in ("actfn", "torch")},
        "cells": {"actfn|tanh|fwd": dict(accurate),
                  "torch|tanh|fwd": dict(accurate, ulp=float("inf"), time=time, edges=["NaN → +0"])},
    }


class Report(unittest.TestCase):
    def test_ratio_is_of_the_worse_distribution_without_the_start_of_a_call(self):
        cell = report.Cell(results((1.0, 0.9), (0.2, 0.3)), "torch", "tanh", "fwd")
        self.assertAlmostEqual(cell.ratio(report.GOAL_SIZE)[0], 3.0)
        self.assertAlmostEqual(cell.net(report.GOAL_SIZE, 0)[0], 1.0)
        self.assertAlmostEqual(cell.net(report.GOAL_SIZE, 1)[0], 0.3)

    def test_a_slow_round_is_slow_for_both(self):
        self.assertAlmostEqual(
            report.Cell(results((1.0, 1.0), (0.5, 0.5)), "torch", "tanh", "fwd").ratio(
                report.GOAL_SIZE)[1], 0.0)

    def test_a_call_that_is_mostly_its_start_is_marked(self):
        few = results((0.001, 0.001), (0.001, 0.001))
        self.assertTrue(report.Cell(few, "torch", "tanh", "fwd").net(report.GOAL_SIZE, 0)[1])
        none = results((-0.001, -0.001), (0.001, 0.001))
        self.assertIsNone(report.Cell(none, "torch", "tanh", "fwd").ratio(report.GOAL_SIZE))

    def test_goals(self):
        for theirs, verdict in ((4.1, "| met |"), (3.9, "| **missed** |")):
            met, count, rows = report.goals(results((theirs, theirs), (1.0, 1.0)))
            [row] = [r for r in rows if r.startswith("| PyTorch | forward | tanh |")]
            self.assertTrue(row.endswith(verdict), row)
            self.assertEqual(met, verdict == "| met |")
            self.assertEqual(sum(r.endswith("| not measured |") for r in rows), count - 1)

    def test_page_and_picture(self):
        measured = results((1.0, 0.9), (0.2, 0.3))
        with tempfile.TemporaryDirectory() as folder:
            first = [pathlib.Path(path).read_text() for path in report.write(measured, folder)]
            again = [pathlib.Path(path).read_text() for path in report.write(measured, folder)]
        self.assertEqual(first, again)
        xml.etree.ElementTree.fromstring(first[1])
        self.assertEqual(first[1].count("<circle"), 2 + 2)  # the legend, the points
        for part in ("JAX (a reason)", "| PyTorch | 1.000 | 3.00 ±0.00 U | ∞ | 0 | NaN → +0 |",
                     "| **libactfn** | 0.300 | 1 | 0.5 | 0 | – |"):
            self.assertIn(part, first[0])

    def test_pages_of_other_types(self):
        for dtype, over in (("f64", "> 4 ULP"), ("bf16", "not nearest"), ("f16", "not nearest")):
            measured = results((1.0, 0.9), (0.2, 0.3), dtype=dtype)
            with tempfile.TemporaryDirectory() as folder:
                [path] = report.write(measured, folder)
                text = pathlib.Path(path).read_text()
            self.assertEqual(pathlib.Path(path).name, f"PERFORMANCE-{dtype}.md")
            self.assertIn(f"| max ULP | {over} | edges |", text)
            self.assertNotIn(".svg", text)
        self.assertIn("| PyTorch | forward | tanh | 1.5 | 3.00 ±0.00 U | met |",
                      report.page(results((1.0, 0.9), (0.2, 0.3), dtype="f64"), None))

    def test_a_partial_run_does_not_write_the_docs(self):
        self.assertFalse(peers.parse(["--fresh"]).partial)
        self.assertFalse(peers.parse(["--dtype=f64"]).partial)
        for some in ("--quick", "--kinds=tanh", "--peers=jax", "--n=64", "--ops=fwd"):
            self.assertTrue(peers.parse([some]).partial, some)

    def test_every_peer_has_a_name_and_every_goal_a_kind(self):
        self.assertEqual(set(report.NAMES) - {"actfn"}, set(peers.PEERS))
        self.assertEqual(set(report.COLOURS), set(report.NAMES))
        self.assertEqual(set(report.GOALS), set(peers.DTYPES))
        self.assertEqual(set(report.ERRORS), set(peers.DTYPES))
        for peer, op, kind, _ in [goal for goals in report.GOALS.values() for goal in goals]:
            self.assertIn(peer, peers.PEERS)
            self.assertIn(op, peers.OPS)
            self.assertIn(kind, peers.KINDS)


if __name__ == "__main__":
    unittest.main()
