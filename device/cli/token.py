"""`rearguard token`: who may ask the service over HTTP."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from device import settings, tokens
from device.cli import Fault


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        f"{parser.description}. Programs send one as `Authorization: Bearer …`; "
        "for the page it is typed in once at /login. While there is none, only this machine is "
        "answered; as soon as there is one, whoever changes anything needs one with the scope "
        "`operate`."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("add", help="make a token and show it, this once")
    make.add_argument("name", metavar="NAME", help="whose it is, as logs and records will say")
    make.add_argument(
        "--scope",
        choices=tokens.SCOPES,
        default="read",
        help="read (default): look at everything; operate: acknowledge, test, start and stop too",
    )
    shown = actions.add_parser("list", help="names, scopes and ages; never a token")
    revoke = actions.add_parser("revoke", help="take a token away, at once")
    revoke.add_argument("name", metavar="NAME")
    for action in (make, shown, revoke):
        action.add_argument("--config", required=True, type=Path, metavar="FILE",
                            help="the belt's configuration file")  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    try:
        file = settings.load(args.config).tokens_file
        if args.action == "add":
            now = datetime.now(UTC).isoformat(timespec="seconds")
            secret = tokens.make(file, args.name, args.scope, now)
            sys.stderr.write(f"The token of {args.name} ({args.scope}), shown only now:\n")
            sys.stdout.write(secret + "\n")
        elif args.action == "revoke":
            tokens.revoke(file, args.name)
            sys.stderr.write(f"{args.name} is let in no longer.\n")
        else:
            for row in tokens.load(file):
                sys.stdout.write(f"{row.name}\t{row.scope}\t{row.made_at}\n")
    except (settings.ConfigError, tokens.TokenError) as error:
        raise Fault(str(error)) from error
    return 0
