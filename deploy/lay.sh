#!/usr/bin/env bash
# Lays the units, users, folders and rules of the release this file belongs to, as `rearguard
# update` needs it when it goes to a release, and when it goes back.
set -euo pipefail
ROOT=$(dirname "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)")
. "$ROOT/deploy/places.sh"
lay_files
