import signal

from course_lib.commands.stopping import Stopper, install

stopper = Stopper()
install(stopper)  # before anything that takes time: Ctrl-C during an import is no traceback
try:
    from course_lib.commands.main import main

    code = main()
except KeyboardInterrupt:
    code = stopper.code
if code > 128:
    install(signal.SIG_IGN)  # the rest of a burst must not change how the command ends
raise SystemExit(code)
