"""``penstock billing audit``: proves that the money agrees with itself and with the log."""

import sys
from contextlib import closing

import typer

from penstock.cli import store
from penstock.cli.billing.ledger import Json
from penstock.cli.store import Config, DatabaseUrl, DataDir
from penstock.core import codec, instants
from penstock.storage import opening
from penstock.storage.ledger_audit import Proof, proofs


def audit(
    as_json: Json = False, data_dir: DataDir = None, database_url: DatabaseUrl = None, config: Config = None
) -> None:
    """Prove that ledger, balances, log and roll-ups agree, of all accounts; exit status 1 where they do not."""
    with store.failing("billing audit"):
        place = store.find(data_dir, database_url, config)
        longest = int(store.read(data_dir, database_url, config).call_timeout * 1000)
        with closing(opening.connect_reader(place.url, patient=True)) as connection:
            found = list(proofs(connection, longest, instants.now()))
        for proof in found:
            if as_json:
                sys.stdout.write(codec.encode(proof._asdict()).decode() + "\n")
            else:
                typer.echo(_shown(proof))
        if any(proof.faults for proof in found):
            raise typer.Exit(1)


def _shown(proof: Proof) -> str:
    head = f"{'FAULT' if proof.faults else 'ok   '}  {proof.claim} ({proof.figure})"
    return "\n".join([head, *(f"         {store.printable(fault)}" for fault in proof.faults)])
