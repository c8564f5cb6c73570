"""Rows about magics and ``!`` lines: what is behind them, and what they run."""

from IPython.core.magics.execution import ExecutionMagics

IMPORTS = "import os, sys\nimport pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\nd, l = {'k': 1}, [1, 2]\n"
# The shell of the tests has no front end; a kernel's does this.
GUI = IMPORTS + "get_ipython().enable_gui = lambda gui=None: None\n"
# A folder to write files in.
FOLDER = IMPORTS + "import tempfile\nos.chdir(tempfile.gettempdir())\n"

# Of what ``%time`` runs: IPython 9 raises it again, IPython 8 shows it, and the cell goes on.
TIMED: list[tuple[str, str, str, int | None]] = [
    (IMPORTS, "%%time\nx = df['a']\ny = df['b']", "KeyError", 3),
    (IMPORTS, "\n\n%%time\n\n\nx = df['a']\ny = df['b']", "KeyError", 5),
    (IMPORTS, "%%time\ndf['b']", "KeyError", 2),
    (IMPORTS, "%%time\nx = 1\nl[x + 1]\nprint(x)", "IndexError", 3),
    (GUI, "%%time\n!echo $d\n%matplotlib inline\nl[2]", "IndexError", 4),
    (IMPORTS, "%%time\n%time x = 3\nl[x]", "IndexError", 3),
    (IMPORTS, "%%time\n%time l[2]", "IndexError", 2),
    (IMPORTS, "%%time\ndef f(a):\n    return a['b']\nf(df)", "KeyError", 4),
    (IMPORTS, "%%time\nfor k in 'kz':\n    d[k]", "KeyError", 3),
    (IMPORTS, "x = 1\n%time l[x + 1]", "IndexError", 2),
    (IMPORTS, "%time y = df['b']", "KeyError", 1),
    (IMPORTS, "if l:\n    %time y = df['b']", "KeyError", 2),
    (IMPORTS, "%time l[2]\n", "IndexError", 1),
]

# A module that was written again since it was imported.
CHANGED = """
import os, sys, tempfile
folder = tempfile.mkdtemp()
sys.path.insert(0, folder)
place = os.path.join(folder, 'again_and_again.py')
open(place, 'w').write("value = {'a': 1}")
import again_and_again
%load_ext autoreload
%autoreload 2
open(place, 'w').write("value = {}")
os.utime(place, (2e9, 2e9))
"""

CRASHES: list[tuple[str, str, str, int | None]] = [
    ("%load_ext autoreload\n%autoreload 2\nd = {}", "d['a']", "KeyError", 1),
    (IMPORTS, "history = [1, 2][2]", "IndexError", 1),
    # Behind a magic that leaves all as it is.
    (GUI, "%matplotlib inline\ndf['b']", "KeyError", 2),
    (GUI, "%matplotlib inline\nimport pandas as pd\nx = pd.DataFrame({'c': [1]})\nx['d']", "KeyError", 4),
    (IMPORTS, "%config InlineBackend.figure_format = 'retina'\ndf['b']", "KeyError", 2),
    (IMPORTS, "%config InlineBackend.figure_formats = {'png', 'retina'}\ndf['b']", "KeyError", 2),
    (IMPORTS, "%load_ext autoreload\n%autoreload 2\nundefined", "NameError", 3),
    (IMPORTS, "!echo hi\ndf['b']", "KeyError", 2),
    (IMPORTS, "x = !echo hi\ndf['b']", "KeyError", 2),
    (IMPORTS, "!true\nx = 1\nx + 'a'", "TypeError", 3),
    (IMPORTS, "name = 'a b'\n!echo {name} $name $HOME $1\nl[5]", "IndexError", 3),
    (IMPORTS, "!echo $df\ndf['b']", "KeyError", 2),
    (IMPORTS, "for i in range(3):\n    !echo $i\nl[i + 1]", "IndexError", 3),
    (IMPORTS, "if True:\n    !echo a\n    d['z']", "KeyError", 3),
    (IMPORTS, "%ls\n%pwd\n%who\n%cd .\nl[2]", "IndexError", 5),
    (IMPORTS, "%env CRANE_X=1\nl[2]", "IndexError", 2),
    (IMPORTS, "%whos\nl[2]", "IndexError", 2),
    (IMPORTS, "l?\nl[2]", "IndexError", 2),
    (IMPORTS, "%timeit -n1 -r1 pass\nl[2]", "IndexError", 2),
    (IMPORTS, "%timeit sum(l)\nl[2]", "IndexError", 2),
    (IMPORTS, "%time x = 5\nl[x]", "IndexError", 2),
    (IMPORTS, "%time l.append(3)\nl[2] + l[3]", "IndexError", 2),
    (IMPORTS, "%history -n 1\nl[2]", "IndexError", 2),
    (IMPORTS, "files = !echo a\nfiles[0].upper()\nundefined", "NameError", 3),
    (IMPORTS, "def show():\n    !echo $l\nshow()\nl[2]", "IndexError", 4),
    (IMPORTS, "x = 1\ntry:\n    %time l[2]\nexcept IndexError:\n    pass\nl[x + 1]", "IndexError", 6),
]

WORKS: list[tuple[str, str]] = [
    (GUI, "%matplotlib inline\nimport pandas as pd\ndf['a']"),
    (IMPORTS, "%time x = 5\nx + 1"),
    (IMPORTS, "%time x = 5; y = [x]\ny[0]"),
    (IMPORTS, "%%time\nx = 5\ndf['b'] = x\ndf['b']"),
    (IMPORTS, "%%time\nimport math\nmath.pi"),
    (IMPORTS, "%%time\nx = [1]\n%time x.append(2)\nx[1]"),
    (IMPORTS, "%%time\ndel d['k']\nd['k'] = 2\nd['k']"),
    # Its names stay inside, and it runs many times.
    (IMPORTS, "x = 1\n%timeit -n2 -r2 x = 'a'\nx + 1"),
    (IMPORTS, "%timeit -n2 -r2 l.append(1)\nl[4]"),
    (IMPORTS, "%timeit -n2 -r2 d['z'] = 1\nd['z']"),
    (IMPORTS, "%%timeit -n1 -r1 l.append(5)\nl[2]"),
    (IMPORTS, "%%timeit -n1 -r1\nl[1]"),
    # What is raised under %%capture ends nothing.
    (IMPORTS, "%%capture\nx = df['a']"),
    (IMPORTS, "%%capture out\ndf['b']"),
    (IMPORTS, "%%capture --no-stderr out\nundefined"),
    (IMPORTS, "%%capture\nimport sys\nsys.exit()"),
    # IPython 9 takes the option; IPython 8 shows what is raised.
    (IMPORTS, "%%capture\n%time l[2]"),
    # Commands, and what they change.
    (IMPORTS, "x = !echo a\nx[0] + 'b'"),
    (IMPORTS, "x = !echo a b\nx.s.split()[1]"),
    (IMPORTS, "!true\n_exit_code + 1"),
    (
        FOLDER,
        "!echo 'x = 1' > crane_made_module.py\nfrom importlib import invalidate_caches\n"
        "sys.path.insert(0, '.'); invalidate_caches()\nimport crane_made_module\n!rm crane_made_module.py",
    ),
    (FOLDER, "!echo 1 > crane_made.txt\nopen('crane_made.txt').read()\n!rm crane_made.txt"),
    (IMPORTS, "%env CRANE_Y=1\nos.environ['CRANE_Y']"),
    (IMPORTS, "%set_env CRANE_Y 1\nos.environ['CRANE_Y']"),
    (FOLDER, "%mkdir -p crane_made\n%cd crane_made\n%cd ..\n!rmdir crane_made"),
    (IMPORTS, "%cd /\nopen('etc/passwd').close()"),
    # Expanding runs code.
    (IMPORTS + "def grow():\n    l.append(1)\n", "!echo {grow()}\nl[2]"),
    (
        IMPORTS + "class A:\n    def __format__(self, spec):\n        l.append(1)\n        return ''\na = A()\n",
        "!echo $a\nl[2]",
    ),
    (
        IMPORTS + "class A:\n    def __str__(self):\n        l.append(1)\n        return ''\na = A()\n",
        "!echo {a}\nl[2]",
    ),
    (IMPORTS + "class A:\n    def __repr__(self):\n        l.append(1)\n        return ''\na = A()\n", "a?\nl[1]"),
    (IMPORTS + "class A:\n    def __str__(self):\n        l.append(1)\n        return ''\na = A()\n", "%whos\nl[2]"),
    (IMPORTS, "%config InlineBackend.figure_format = l.append(3) or 'png'\nl[2]"),
    # They bind names.
    (GUI, "%pylab inline\narange(3)"),
    (IMPORTS, "%reset -sf\nd = 1"),
    (IMPORTS, "%xdel l\nl = [1, 2, 3]\nl[2]"),
    (IMPORTS, "%who_ls\nprint(1)"),
    (IMPORTS, "!true\ndf['a']"),
    (IMPORTS, "%%bash\nfalse || true"),
    (IMPORTS, "%%bash --out text\necho hi"),
    (IMPORTS, "%%html\n<b>x</b>"),
    (FOLDER, "%%writefile crane_written.txt\nundefined"),
    (FOLDER, "!rm crane_written.txt"),
    # A magic of the user's own.
    (
        GUI + "from IPython.core.magic import register_line_magic, register_cell_magic, register_line_cell_magic\n"
        "@register_line_magic\ndef matplotlib(line):\n    l.append(1)\n",
        "%matplotlib inline\nl[2]",
    ),
    (
        IMPORTS + "from IPython.core.magic import register_line_cell_magic\n"
        "@register_line_cell_magic\ndef time(line, cell=None):\n    pass\n",
        "%%time\nundefined",
    ),
    (
        IMPORTS + "from IPython.core.magic import register_line_cell_magic\n"
        "@register_line_cell_magic\ndef time(line, cell=None):\n    l.append(3)\n",
        "%time undefined\nl[2]",
    ),
    (IMPORTS + "ip = get_ipython()\nip.system = lambda command: l.append(1)\n", "!echo hi\nl[2]"),
    (
        IMPORTS + "class S:\n    def run_line_magic(self, *a): l.append(1)\nold = get_ipython\n"
        "def get_ipython(): return S()\n",
        "%matplotlib inline\nl[2]",
    ),
    (IMPORTS, "%alias_magic pwd reset -p '-sf'\n%pwd\nl = [1, 2, 3]\nl[2]"),
    (IMPORTS, "%load_ext storemagic\nx = 1\nx + 1"),
    (IMPORTS, "%time f'{l[0]}  x'"),
    (IMPORTS, "try:\n    sys.exit()\n    x = 1\nexcept SystemExit:\n    x = 2\nx"),
]

DOUBTFUL: list[tuple[str, str]] = [
    (CHANGED, "again_and_again.value['a']"),
    (IMPORTS, "%no_such_magic\nx = 1"),
    (GUI, "%matplotlib inline # nice\nx = 1"),
    (GUI, "%matplotlib nonsense\nx = 1"),
    (IMPORTS, "%load_ext no_such_extension\nx = 1"),
    (IMPORTS, "%env NO_SUCH_VARIABLE\nx = 1"),
    (IMPORTS, "%%time x\nx = 1"),
    (IMPORTS, "%%time\nx = 1\nfrom __future__ import annotations"),
    (IMPORTS, "%%time\nx = 1\nglobal x"),
    (IMPORTS, "%%capture a b\nx = 1"),
    (IMPORTS, "%%bash\nexit 3"),
    (IMPORTS, "%timeit -n1 -r1 undefined"),
    (IMPORTS, "x = 1\n%timeit -n1 -r1 x = x + 1"),
    (IMPORTS, "!sleep 1 &"),
    (IMPORTS, "try:\n    sys.exit()\nexcept ValueError:\n    pass"),
]

if "no_raise_error" in ExecutionMagics.time.__code__.co_names:
    CRASHES += TIMED
else:
    WORKS += [(setup, cell) for setup, cell, *_ in TIMED]
