"""Convert on SLURM nodes that Dask works with: start them, run bidsify there, end them.

    python -m pip install 'bidsify-datasets[dask]' dask-jobqueue
    python slurm_dask.py --jobs 16 --walltime 02:00:00 -- SRC OUT [OPTIONS OF bidsify convert]

Run it where `sbatch` is known and jobs may connect to, in `screen` or in a job of its own. SRC and
OUT must be on a file system that the nodes share. What is cut off goes on when it is run again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from dask_jobqueue import SLURMCluster


def main() -> int:
    """Return the exit code of bidsify."""
    asked = _asked()
    if asked.show:
        print(_cluster(asked).job_script())
        return 0
    with _cluster(asked) as cluster:
        cluster.scale(jobs=asked.jobs)
        print(f"scheduler: {cluster.scheduler_address}", file=sys.stderr)
        cluster.wait_for_workers(1)  # as long as the queue takes; more may come while it runs
        command = [sys.executable, "-m", "bidsify", asked.verb, *asked.words]
        place = ["--executor", "dask", "--scheduler", cluster.scheduler_address]
        return subprocess.run([*command, *place], check=False).returncode


def _cluster(asked: argparse.Namespace) -> SLURMCluster:
    """Describe one job: a node's share of cores, each a worker process of one thread."""
    return SLURMCluster(
        queue=asked.partition,
        account=asked.account,
        cores=asked.cores,
        processes=asked.cores,  # a worker does one thing at a time: more threads would idle
        memory=asked.memory,
        walltime=asked.walltime,
        interface=asked.interface,
        local_directory=asked.scratch,  # of the node; Dask writes a lock there, we nothing
        worker_extra_args=["--no-dashboard"],
        scheduler_options={"dashboard": False},
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=4, help="number of SLURM jobs")
    parser.add_argument("--cores", type=int, default=4, help="of a job")
    parser.add_argument("--memory", default="8GB", help="of a job; 2 GB for each core are plenty")
    parser.add_argument("--walltime", default="01:00:00")
    parser.add_argument("--partition", help="default: that of the site")
    parser.add_argument("--account")
    parser.add_argument("--interface", help="network between the nodes, such as ib0")
    parser.add_argument("--scratch", default="/tmp", help="local folder of each node")
    parser.add_argument("--verb", choices=["convert", "verify"], default="convert")
    parser.add_argument("--show", action="store_true", help="print the script of a job, and stop")
    parser.add_argument("words", nargs="*", metavar="WORD", help="SRC OUT and options")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
