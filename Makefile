# demo test check bench chaos fuzz soak clean: each works on a fresh clone. Needs a Python 3.11 to 3.13 and make.
#   make demo ARGS="--fresh"        make test ARGS="tests/contract -x"        make PYTHON=/path/to/python

VENV := .venv
YOLO_VENV := .venv-yolo
ARGS ?=

# The first Python that works, fits and can make environments: $(PYTHON) if named, else the one of
# an environment that is there, else by name.
PYTHONS := $(if $(PYTHON),"$(PYTHON)",$(VENV)/bin/python python3.13 python3.12 python3.11 python3 python)

define FIND_PYTHON
fits='import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'; \
for python in $(PYTHONS); do \
    if "$$python" -c "$$fits" >/dev/null 2>&1; then found="$$python"; break; fi; \
done; \
if [ -z "$$found" ]; then \
    for python in $(PYTHONS); do \
        if "$$python" -c '' >/dev/null 2>&1; then found="$$python"; break; fi; \
    done; \
fi; \
if [ -z "$$found" ]; then \
    echo "gridwarden: $(if $(PYTHON),'$(PYTHON)' is no Python that runs,no Python on the PATH): \
install Python 3.11 to 3.13, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; \
fi
endef

.PHONY: demo test test-long yolo test-yolo check bench chaos fuzz soak assets clean environment environment-dev

demo: environment
	@$(VENV)/bin/gridwarden demo $(ARGS)

test: environment-dev
	$(VENV)/bin/python -m pytest -n auto --dist loadfile $(ARGS)

# what `make test` leaves out for its length
test-long: environment-dev
	$(VENV)/bin/python -m pytest -n auto --dist loadfile -m long $(ARGS)

# the extra [yolo]: ultralytics and torch, with the one cv2 that may be installed put back last
yolo: environment
	$(VENV)/bin/python -I gridwarden/yolo.py

# in an environment of its own, for torch is several GB
test-yolo:
	@$(FIND_PYTHON); [ -x $(YOLO_VENV)/bin/python ] || "$$found" -m venv $(YOLO_VENV)
	$(YOLO_VENV)/bin/python -I gridwarden/yolo.py --dev
	$(YOLO_VENV)/bin/python -m pytest tests/yolo tests/detectors/test_objects.py tests/detectors/test_one_cv2.py $(ARGS)

check: environment-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: environment-dev
	$(VENV)/bin/python -m tests.bench $(ARGS)

chaos: environment
	@$(VENV)/bin/gridwarden chaos $(ARGS)

fuzz: environment-dev
	@$(VENV)/bin/python -m tests.fuzz $(ARGS)

soak: environment-dev
	@$(VENV)/bin/python -m tests.soak $(ARGS)

assets: environment
	$(VENV)/bin/python -m gridwarden.assets

environment:
	@$(FIND_PYTHON); "$$found" -I gridwarden/environment.py

environment-dev:
	@$(FIND_PYTHON); "$$found" -I gridwarden/environment.py --dev

# what the demo stored stays: `gridwarden demo --fresh` begins anew
clean:
	rm -rf $(VENV) $(YOLO_VENV) build dist assets *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find contract detectors edge hub gridwarden tests -name __pycache__ -type d -exec rm -rf {} +
