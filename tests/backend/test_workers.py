"""Workers under bad conditions: other threads, forks, interrupts, failures, the end of everything.

What could hang runs in a process of its own, which shows where it stands and ends when its time is up.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest

import netcalc
from netcalc.backend import InferencePlan, Network, TrainingStep
from netcalc.backend.errors import refuse
from netcalc.backend.workers import Progress, Workers, WorkersAborted, sample_shares
from netcalc.diagnostics import ExecutionError

from helpers import threads_beside, wait_until

SECONDS = 120
"""More than any of these takes on a machine that is busy with other things."""
SETTING = f"""
import faulthandler, gc, os, signal, sys, threading, time
faulthandler.dump_traceback_later({SECONDS}, exit=True)
import numpy as np
import netcalc
from netcalc.backend import InferencePlan, Network, TrainingStep
from threadpoolctl import threadpool_info

def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

before = blas_threads()
x = np.random.default_rng(0).standard_normal((4, 1, 28, 28)).astype(np.float32)
network = Network(netcalc.load("lenet5"), seed=3)
expected = network.forward(x, training=True)

def close(y):
    return np.allclose(y, expected, rtol=1e-3, atol=1e-4)

def plan(batch=4):
    made = InferencePlan(network, batch, 2)
    return lambda: close(made.forward(x)), made

def step():
    made = TrainingStep(network, 4, workers=2)
    def run():
        good = close(made.forward(x))
        made.backward()
        return good
    return run, made

def in_threads(count, function):
    wrong = []
    def guarded():
        try:
            if function() is False:
                wrong.append("a result is wrong")
        except BaseException as error:
            wrong.append(repr(error))
    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert not wrong, wrong
"""

both_engines = pytest.mark.parametrize("engine", ["plan", "step"])


def run_alone(body: str, signals: Callable[[subprocess.Popen[str]], None] | None = None) -> str:
    """The output of a script in a process of its own, which must end well and in time."""
    command = [sys.executable, "-c", SETTING + body]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            if signals is not None:
                signals(process)
            out, err = process.communicate(timeout=SECONDS + 10)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0, err
    return out


@both_engines
def test_beside_a_thread_that_multiplies_matrices(engine: str) -> None:
    run_alone(f"""
def multiply():
    a = np.ones((400, 400), np.float32)
    while True:
        a @ a
threading.Thread(target=multiply, daemon=True).start()
for _ in range(3):
    run, made = {engine}()
    assert all(run() for _ in range(3))
    made.close()
""")


@both_engines
def test_four_threads_that_make_and_run_their_own(engine: str) -> None:
    run_alone(f"""
def make_and_run():
    for _ in range(3):
        run, made = {engine}()
        if not all(run() for _ in range(5)):
            return False
        made.close()
in_threads(4, make_and_run)
assert blas_threads() == before, (blas_threads(), before)
""")


def test_three_threads_with_one_plan() -> None:
    run_alone("""
run, made = plan()
in_threads(3, lambda: all(run() for _ in range(20)))
""")


def test_three_threads_with_one_training_step() -> None:
    run_alone("""
run, made = step()
in_threads(3, lambda: all(close(made.forward(x)) for _ in range(20)))
run()
""")


@both_engines
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used before"])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_in_a_fork_of_its_process(engine: str, used: bool) -> None:
    run_alone(f"""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
run, made = {engine}()
if {used}:
    assert run()
child = os.fork()
if child == 0:
    os._exit(0 if run() and run() and blas_threads() == before else 1)
assert run()
assert os.waitpid(child, 0)[1] == 0
""")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_in_a_fork_while_another_thread_holds_the_plan() -> None:
    run_alone("""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
run, made = plan()
with made._workers.lock:
    held = threading.Event()
    child = os.fork()
    if child == 0:
        os._exit(0 if run() else 1)
    assert os.waitpid(child, 0)[1] == 0
assert run()
""")


@both_engines
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
def test_interrupted_at_any_time_and_again(engine: str) -> None:
    """Interrupts come at times that go through a run; the next run is whole."""
    run_alone(f"""
run, made = {engine}()
assert run()
interrupted = 0
for number in range(60):
    try:
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + number * 5e-5, 0.0005)
        for _ in range(20):
            run()
    except KeyboardInterrupt:
        interrupted += 1
    finally:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                break
            except KeyboardInterrupt:
                pass
    assert run(), number
assert interrupted > 10
""")


@both_engines
def test_ctrl_c_ends_a_loop_of_runs(engine: str) -> None:
    def interrupt(process: subprocess.Popen[str]) -> None:
        assert process.stdout
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)

    out = run_alone(
        f"""
run, made = {engine}()
run()
try:
    print("running", flush=True)
    while True:
        run()
except KeyboardInterrupt:
    print(run())
""",
        interrupt,
    )
    assert out == "True\n"


@both_engines
def test_let_go_by_other_threads(engine: str) -> None:
    run_alone(f"""
for _ in range(5):
    held = [{engine}() for _ in range(4)]
    for run, made in held:
        assert run()
    cycle = [held]
    cycle.append(cycle)
    del run, made, held, cycle
    in_threads(1, gc.collect)
for _ in range(500):
    if threading.active_count() == 1:
        break
    time.sleep(0.01)
assert threading.active_count() == 1, threading.enumerate()
""")


@both_engines
@pytest.mark.parametrize("where", ["at rest", "in a daemon thread that goes on"])
def test_the_interpreter_ends_with_a_live_one(engine: str, where: str) -> None:
    run_alone(f"""
run, made = {engine}()
assert run()
def go_on():
    while True:
        run()
if {where != "at rest"}:
    threading.Thread(target=go_on, daemon=True).start()
    time.sleep(0.2)
""")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_fails_in_one_worker_ends_all_and_the_next_task_runs(size: int) -> None:
    workers = Workers(size)
    done = [0] * size

    def fails(worker: int) -> None:
        workers.barrier(worker)
        if worker == size - 1:
            refuse("E900", f"in worker {worker}")
        workers.barrier(worker)

    def works(worker: int) -> None:
        workers.barrier(worker)
        done[worker] += 1

    for _ in range(2):
        with pytest.raises(ExecutionError, match=f"in worker {size - 1}"):
            workers.run(fails)
        workers.run(works)
    assert done == [2] * size
    workers.close()


def test_an_interrupt_ends_all_workers() -> None:
    workers = Workers(2)

    def interrupted(worker: int) -> None:
        if worker == 0:
            raise KeyboardInterrupt
        workers.barrier(worker)

    with pytest.raises(KeyboardInterrupt):
        workers.run(interrupted)
    workers.run(workers.barrier)
    workers.close()


@pytest.mark.parametrize("heard", ["at once", "when the other worker has ended"])
def test_an_interrupt_while_another_works_waits_for_it(heard: str) -> None:
    workers = Workers(2)
    ended = []

    def interrupted(worker: int) -> None:
        if worker == 1:
            threading.Event().wait(0.1)
            if heard == "at once":
                os.kill(os.getpid(), signal.SIGINT)
            else:
                signal.raise_signal(signal.SIGINT)  # does not wake the main thread
            threading.Event().wait(0.1)
            ended.append(worker)

    with pytest.raises(KeyboardInterrupt):
        workers.run(interrupted)
    assert ended == [1]
    workers.run(workers.barrier)
    workers.close()


@pytest.mark.parametrize("size", [2, 3, 5])
def test_barriers_hold_as_often_as_they_are_called(size: int) -> None:
    """Each reads, after a barrier, what the one beside it wrote before; some come late, and are waited for."""
    workers = Workers(size)
    rounds = 200
    written = np.zeros((rounds, size), int)
    seen = np.zeros((rounds, size), int)

    def task(worker: int) -> None:
        for number in range(rounds):
            if number % 50 == worker:
                threading.Event().wait(0.01)
            written[number, worker] = number + 1
            workers.barrier(worker)
            seen[number, worker] = written[number, (worker + 1) % size]

    for _ in range(3):
        written[...] = seen[...] = 0
        workers.run(task)
        assert (seen == np.arange(1, rounds + 1)[:, np.newaxis]).all()
    workers.close()


def test_a_waiting_worker_aborts_where_another_fails() -> None:
    progress = Progress(2)
    threading.Timer(0.05, setattr, (progress, "aborted", True)).start()
    with pytest.raises(WorkersAborted):
        progress.wait(0, 1, 1)


def test_shares_are_whole_and_even() -> None:
    assert sample_shares(7, 3) == [slice(0, 2), slice(2, 4), slice(4, 7)]
    assert sample_shares(2, None) == [slice(0, 2)]


@pytest.mark.parametrize("engine", [InferencePlan, TrainingStep])
def test_a_closed_engine_has_no_threads(engine: type[InferencePlan | TrainingStep]) -> None:
    before = threading.enumerate()
    closed = engine(Network(netcalc.load("lenet5")), 4, workers=2)
    closed.forward(np.zeros((4, 1, 28, 28)))
    assert len(threads_beside(before)) == 1
    closed.close()
    closed.close()
    wait_until(lambda: not threads_beside(before))
    with pytest.raises(ValueError, match="0"):
        engine(closed.network, 4, workers=0)
