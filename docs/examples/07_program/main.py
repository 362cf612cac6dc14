# SPDX-License-Identifier: Apache-2.0
"""Runs the program, and ends it as an init system does."""

import signal
import subprocess
import sys

program = subprocess.Popen([sys.argv[1], "10"], stdout=subprocess.PIPE, text=True)
for line in program.stdout:
    print(line, end="")
    if line == "ready\n":
        program.send_signal(signal.SIGTERM)
print("exit code", program.wait())
print("exit code", subprocess.run([sys.argv[1]], stderr=subprocess.DEVNULL).returncode)
