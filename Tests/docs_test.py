#!/usr/bin/env python3
"""Runs the commands of the documentation as a reader would: ./launch.sh test --docs.

    Tests/docs_test.py [--run FOLDER] [PAGE...]

Clones this project to a scratch folder, brings what is not committed along, gives the clone this project's release
build, and runs the sh blocks of every page (or of the PAGEs) in order, each page in a shell of its own. README.md comes
first: its first block makes the clone, and trains runs/digits, unless --run FOLDER gives a run of the embedded digits
to use in its place. Blocks of YAML that begin with a comment `# NAME.yaml` are written to that file.

EXCEPTIONS lists what is not run as it is written, and why; one that matches nothing is a failure. What is not run at all
is still looked at here for files and options that exist, and CommandTests parses every command line of lmconv. Needs
bash, git, curl, shellcheck and NumPy; some twenty minutes on two cores.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import docs_files  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_SECONDS = 1800


class Skip:
    """Not run."""

    def __init__(self, reason):
        self.reason = reason


class Change:
    """Run with the first match of a pattern replaced, or with words added to the end."""

    def __init__(self, reason, pattern="$", replacement=""):
        self.reason, self.pattern, self.replacement = reason, pattern, replacement


class Serve:
    """Run until the page ends, as soon as it answers."""

    reason = "a server"


FEW = " --set training.steps=4 --set evaluation.images=4 --set model.filters=8"
SMALL_BENCHMARK = Change("minutes", r"--config \S+", "--filters 8 --blocks 1")
CLUSTER = "needs several hosts: ./launch.sh test --faults has some"
BENCHMARK = "measures for minutes on a machine without other work"
TESTS = "tests of their own"

# (page, pattern of the command, what is done instead)
EXCEPTIONS = [
    ("README.md", r"^git clone ADDRESS", Change("this project", "ADDRESS-OF-THIS-REPOSITORY", str(ROOT))),
    ("README.md", r"--config configurations/mnist-binary", Change(
        "hours; the digits in MNIST's format", "DIR",
        "mnist --run-dir runs/mnist --set training.epochs=0 --set evaluation.batch_size=2" + FEW)),
    ("README.md", r"orders\.train=random", Change("minutes", "$", FEW)),
    ("README.md", r"--hosts hosts", Skip(CLUSTER)),
    ("README.md", r"\./launch\.sh serve", Serve()),
    ("README.md", r"own-pictures\.sh", Change("minutes; some pictures", "FOLDER", "photographs 16 8")),
    ("README.md", r"(install --prefix|debian-package\.sh)", Skip("builds for minutes: ./launch.sh test --package does")),
    ("README.md", r"\.pth", Skip("needs PyTorch: InterchangeCommandLineTests do it where it is")),
    ("README.md", r"^Benchmarks/compression\.sh", Skip(BENCHMARK)),
    ("README.md", r"^\./launch\.sh test", Skip(TESTS)),
    ("README.md", r"^Tools/documentation\.sh", Skip("needs the modules of a whole build: .ci/run does it")),
    ("CONTRIBUTING.md", r"^\./launch\.sh test", Skip(TESTS)),
    ("cluster/README.md", r"(--hosts hosts|sbatch)", Skip(CLUSTER)),
    ("cluster/README.md", r"^export OMPI", Skip("the reader's network")),
    ("cluster/README.md", r"^(docker|kubectl)", Skip("needs Docker and Kubernetes")),
    ("docs/compression.md", r"^Benchmarks/", Skip(BENCHMARK)),
    ("docs/data.md", r"^lmconv train --config pictures\.yaml$", Change("minutes", "$", FEW)),
    ("docs/data.md", r"data\.set=packed", Change("minutes", "$", FEW)),
    ("docs/experiments.md", r"--config configurations/(cifar10|mnist-\w+)\.yaml --run-dir runs/[\w-]+$", Change(
        "weeks; a few images in the same format", "$", FEW + " --set training.epochs=0 --set evaluation.batch_size=2")),
    ("docs/experiments.md", r"--config configurations/celeba-hq", Change(
        "months; a few pictures", "$", " --dry-run --set model.filters=8 --set training.microbatches=2")),
    ("docs/experiments.md", r"--dry-run$", Change("minutes", "$", " --set model.filters=8")),
    ("docs/experiments.md", r"^lmconv benchmark --plan", SMALL_BENCHMARK),
    ("docs/orders.md", r"^\./launch\.sh train", Change("minutes", "$", FEW)),
    ("docs/performance.md", r"(pip install|^Benchmarks/)", Skip(BENCHMARK + " and needs PyTorch")),
    ("docs/scaling.md", r"--config configurations/cifar10", SMALL_BENCHMARK),
    ("docs/scaling.md", r"^mpirun -n 8", Change(
        "the reader's processors", r"-n 8 (.*) --threads 4", r"-n 2 \1 --threads 1 --filters 8 --blocks 1")),
    ("docs/scaling.md", r"--parts plan\.json", Change("the same", "$", " --filters 8 --blocks 1")),
    ("docs/scaling.md", r"Benchmarks/two-hosts", Skip(BENCHMARK)),
    ("docs/scores.md", r"^Benchmarks/", Skip(BENCHMARK)),
    ("docs/seeing.md", r"tensorboard", Skip("needs TensorBoard: ./launch.sh test --tensorboard installs and uses it")),
    ("docs/serve.md", r"^ssh ", Skip(CLUSTER)),
    ("docs/serve.md", r"^lmconv serve", Serve()),
    ("docs/serve.md", r"^curl", Change("so that a refusal is a failure", "^curl", "curl --fail-with-body")),
]


def blocks(text, language):
    return [match.group(1) for match in re.finditer(rf"^```{language}\n(.*?)^```", text, re.S | re.M)]


def statements(block):
    """The commands of a block: as many lines as bash needs to take them as complete."""
    lines = []
    for line in block.splitlines():
        lines.append(line)
        if not any(part.strip() and not part.lstrip().startswith("#") for part in lines):
            lines = []
            continue
        text = "\n".join(lines)
        checked = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
        # A here-document without an end is only warned of, a continued line not even that.
        if not checked.stderr and not text.endswith("\\"):
            yield text
            lines = []
    if lines:
        yield "\n".join(lines)


def without_comment(statement):
    """A command without the comment behind it, to which nothing could be added."""
    if "<<" in statement:
        return statement
    quote = None
    for index, character in enumerate(statement):
        if quote:
            quote = None if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (index == 0 or statement[index - 1].isspace()):
            return statement[:index].rstrip()
    return statement


class Session:
    """A shell that keeps its folder and variables from one command to the next."""

    def __init__(self, folder, scratch, environment):
        self.scratch = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, cwd=folder, env=environment, text=True,
            start_new_session=True)
        self.servers = []
        self.environment = environment

    def run(self, statement):
        """The exit code, None after too long, and the output."""
        script, log, code = (self.scratch / name for name in ("script", "log", "code"))
        script.write_text(statement + "\n")
        code.unlink(missing_ok=True)
        self.shell.stdin.write(
            f". {script} </dev/null >{log} 2>&1; echo $? >{code}.new; pwd >{self.scratch}/folder; mv {code}.new {code}\n")
        self.shell.stdin.flush()
        end = time.monotonic() + TIMEOUT_SECONDS
        while not code.exists() and self.shell.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        output = log.read_text(errors="replace") if log.exists() else ""
        return int(code.read_text()) if code.exists() else None, output

    @property
    def folder(self):
        return (self.scratch / "folder").read_text().strip()

    def serve(self, statement):
        """Starts a server; None, or what is wrong."""
        self.run("true")
        server = subprocess.Popen(
            ["bash", "-c", f"exec {statement}"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.servers.append(server)
        output = ""
        for line in server.stdout:
            output += line
            address = re.search(r"http://\S+", line)
            if address:
                with urllib.request.urlopen(address.group(), timeout=30) as response:
                    return None if response.status == 200 else f"status {response.status}"
        return output or "it printed no address"

    def end(self):
        """Ends the shell and its servers, as Ctrl-C does; returns the exit codes of servers that had others than 0."""
        codes = []
        for server in self.servers:
            os.killpg(server.pid, signal.SIGINT)
            try:
                codes.append(server.wait(timeout=30))
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                codes.append("none: it did not end")
        if self.shell.poll() is None:
            os.killpg(self.shell.pid, signal.SIGKILL)
        return [code for code in codes if code != 0]


def unknown_parts(statement):
    """Files of this project and options of its scripts that a command names and that do not exist."""
    words = statement.split()
    unknown = [word for word in words if re.match(r"(Benchmarks|Tools|Tests|cluster|configurations|examples)/\w", word)
               and not (ROOT / word).exists()]
    script = next((ROOT / word for word in words if (ROOT / word).is_file() and os.access(ROOT / word, os.X_OK)), None)
    if script and script.name != "launch.sh":
        text = script.read_text()
        # A short script passes its options on to a program beside it.
        text += "".join(other.read_text() for other in script.parent.glob("*.py"))
        unknown += [word for word in words if word.startswith("--") and word not in text]
    if script and script.name == "launch.sh" and words[words.index("./launch.sh") + 1] == "test":
        option = next((word for word in words if word.startswith("--")), None)
        if option and f"test {option}" not in script.read_text() and option != "--filter":
            unknown.append(option)
    return unknown


class Documentation:
    """The pages, and what became of their commands."""

    def __init__(self, scratch, trained):
        self.scratch, self.trained = scratch, trained
        self.clone = scratch / "lmconv"
        self.used, self.failures, self.count, self.skipped = set(), [], 0, 0
        self.environment = os.environ | {
            "PATH": f"{self.clone}/.build/release:{os.environ['PATH']}", "COLUMNS": "120",
            # Open MPI asks for this of root, and for more ranks than cores.
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1"}

    def exception(self, page, statement):
        for index, (its_page, pattern, action) in enumerate(EXCEPTIONS):
            if its_page == page and re.search(pattern, statement):
                self.used.add(index)
                return action
        return None

    def provide_build(self):
        """What was not committed, and the program, so that nothing is built in the clone."""
        names = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "--modified", "--others", "--exclude-standard"], check=True,
            capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, names):
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).exists():
                shutil.copy2(ROOT / name, self.clone / name)
        release = self.clone / ".build" / "release"
        release.mkdir(parents=True)
        shutil.copy2(ROOT / ".build" / "release" / "lmconv", release)
        for resources in (ROOT / ".build" / "release").glob("*.resources"):
            shutil.copytree(resources, release / resources.name)
        shutil.copyfile(ROOT / ".build" / "launch-stamp", self.clone / ".build" / "launch-stamp")
        if self.trained:
            shutil.copytree(self.trained, self.clone / "runs" / "digits")

    def run_page(self, page, only_first_block=False):
        print(f"\n{page}", flush=True)
        text = (ROOT / page).read_text()
        begins = page == "README.md"
        if not begins:
            docs_files.provide(page, self.clone, self.environment)
            for block in blocks(text, "yaml"):
                name = re.match(r"# (\S+\.yaml)\n", block)
                if name:
                    (self.clone / name.group(1)).write_text(block)
        session = Session(self.scratch if begins else self.clone, self.scratch, self.environment)
        try:
            for block in blocks(text, "sh"):
                for statement in map(without_comment, statements(block)):
                    if not self.run_statement(page, statement, session):
                        return
                if begins:
                    begins = False
                    docs_files.provide(page, self.clone, self.environment)
                    if only_first_block:
                        return
        finally:
            for code in session.end():
                self.fail(page, "a server after Ctrl-C", f"exit code {code}")

    def run_statement(self, page, statement, session):
        """False if the page cannot go on."""
        action = self.exception(page, statement)
        start = time.monotonic()
        if isinstance(action, Skip):
            self.skipped += 1
            print(f"   skipped  {statement}\n            ({action.reason})", flush=True)
            unknown = unknown_parts(statement)
            if unknown:
                self.fail(page, statement, f"no such thing: {' '.join(unknown)}")
            return True
        self.count += 1
        if isinstance(action, Serve):
            problem = session.serve(statement)
            if problem:
                self.fail(page, statement, problem)
            return True
        shown = statement
        if isinstance(action, Change):
            statement = re.sub(action.pattern, action.replacement, statement, count=1)
            shown += f"\n            (changed: {action.reason})"
        print(f"            {shown}", end="", flush=True)
        code, output = session.run(statement)
        print(f"\r{time.monotonic() - start:8.1f} s", flush=True)
        if code != 0:
            self.fail(page, statement, f"exit code {code}\n{output[-3000:]}")
        if code is not None and page == "README.md" and statement.startswith("git clone"):
            self.provide_build()
        return code is not None

    def fail(self, page, statement, problem):
        self.failures.append(f"{page}: {statement}")
        print(f"not so: {page}: {statement}\n{problem}\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=pathlib.Path, help="a trained run of the embedded digits")
    parser.add_argument("pages", nargs="*")
    arguments = parser.parse_args()
    everything = ["README.md", "CONTRIBUTING.md", "cluster/README.md"] + sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
    unknown = [page for page in arguments.pages if page not in everything]
    if unknown:
        sys.exit(f"docs_test: no such page: {' '.join(unknown)}; there are {' '.join(everything)}")
    pages = arguments.pages or everything
    with tempfile.TemporaryDirectory(prefix="lmconv-docs-") as scratch:
        documentation = Documentation(pathlib.Path(scratch), arguments.run)
        documentation.run_page("README.md", only_first_block="README.md" not in pages)
        for page in pages:
            if page != "README.md":
                documentation.run_page(page)
    stale = [f"{page}: {pattern}" for index, (page, pattern, _) in enumerate(EXCEPTIONS)
             if page in pages and index not in documentation.used]
    for exception in stale:
        print(f"not so: the exception {exception} matches no command")
    print(f"docs: {documentation.count} commands run, {documentation.skipped} not run, "
          f"{len(documentation.failures)} failed, {len(stale)} stale exceptions")
    for failure in documentation.failures:
        print(f"  {failure}")
    sys.exit(1 if documentation.failures or stale else 0)


if __name__ == "__main__":
    main()
