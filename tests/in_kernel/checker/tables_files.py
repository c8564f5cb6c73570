"""What the checker must find, must leave alone, and must not be sure of, of files and imports; see `tables`."""

D = (
    "import os, tempfile, glob, json, pickle, shutil, pandas as pd, numpy as np\nfrom pathlib import Path\n"
    "folder = tempfile.mkdtemp()\np = os.path.join(folder, 's.csv')\n"
    "with open(p, 'w') as f: f.write('a,b,name\\n1,2,x\\n3,4,y\\n')\n"
    "semi = os.path.join(folder, 'semi.csv')\nwith open(semi, 'w') as f: f.write('a;b\\n1;2\\n')\n"
    "bad = os.path.join(folder, 'bad.csv')\nwith open(bad, 'w') as f: f.write('a,b\\n1,2\\n1,2,3\\n')\n"
    "empty = os.path.join(folder, 'empty.csv')\nopen(empty, 'w').close()\n"
    "lat = os.path.join(folder, 'lat.csv')\nwith open(lat, 'wb') as f: f.write(b'a,n\\xe9\\n1,2\\n')\n"
    "big = os.path.join(folder, 'big.csv')\nwith open(big, 'w') as f: f.write('a,b,date\\n' + '1,2,2020-01-01\\n' * 9000)\n"
    "df = pd.DataFrame({'a': [1], 'b': [2]})"
)

CRASHES: list[tuple[str, str, str, int | None]] = [
    (D, "pd.read_csv('nope.csv')", "FileNotFoundError", 1),
    (D, "pd.read_csv('nope.csv.gz')", "FileNotFoundError", 1),
    (D, "pd.read_csv('q/n.csv', sep=';', encoding='latin-1', index_col=0)", "FileNotFoundError", 1),
    (D, "pd.read_csv(os.path.join(folder, 'n.csv'))", "FileNotFoundError", 1),
    (D, "pd.read_csv(Path(folder) / 'n.csv')", "FileNotFoundError", 1),
    (D, "pd.read_csv(f'{folder}/n.csv')", "FileNotFoundError", 1),
    (D, "pd.read_csv(folder)", "IsADirectoryError", 1),
    (D, "pd.read_excel('n.xlsx', sheet_name='a')", "FileNotFoundError", 1),
    (D, "pd.read_json('n.json')", "FileNotFoundError", 1),
    (D, "pd.read_pickle('n.pkl')", "FileNotFoundError", 1),
    (D, "pd.read_hdf('n.h5')", "FileNotFoundError", 1),
    (D, "np.load('n.npy', allow_pickle=True)", "FileNotFoundError", 1),
    (D, "np.loadtxt('n.txt')", "FileNotFoundError", 1),
    (D, "np.genfromtxt('n.txt', delimiter=',')", "FileNotFoundError", 1),
    (D, "open('n.txt')", "FileNotFoundError", 1),
    (D, "with open('n.json') as f:\n  d = json.load(f)", "FileNotFoundError", 1),
    (D, "m = pickle.load(open('n.pkl', 'rb'))", "FileNotFoundError", 1),
    (D, "open('q/n.txt', 'w')", "FileNotFoundError", 1),
    (D, "open(folder, 'w')", "IsADirectoryError", 1),
    (D, "open(p + '/x')", "NotADirectoryError", 1),
    (D, "os.listdir('n')", "FileNotFoundError", 1),
    (D, "os.chdir('n')", "FileNotFoundError", 1),
    (D, "os.remove('n')", "FileNotFoundError", 1),
    (D, "os.path.getsize('n')", "FileNotFoundError", 1),
    (D, "os.mkdir(folder)", "FileExistsError", 1),
    (D, "os.makedirs(folder)", "FileExistsError", 1),
    (D, "os.mkdir('n/m')", "FileNotFoundError", 1),
    (D, "shutil.copy('n', 'm')", "FileNotFoundError", 1),
    (D, "shutil.move('n', 'm')", "FileNotFoundError", 1),
    (D, "shutil.rmtree('n')", "FileNotFoundError", 1),
    (D, "import zipfile\nzipfile.ZipFile('n.zip')", "FileNotFoundError", 2),
    (D, "df.to_csv('q/n.csv', index=False)", "OSError", 1),
    (D, "df.to_pickle('q/n.pkl')", "OSError", 1),
    (D, "np.save('q/n', np.zeros(3))", "FileNotFoundError", 1),
    (D + "\nimport matplotlib.pyplot as plt", "plt.imread('n.png')", "FileNotFoundError", 1),
    (D, "d = pd.read_csv(p)\nd['zz']", "KeyError", 2),
    (D, "d = pd.read_csv(p)\nd['name'].astype(float)", "ValueError", 2),
    (D, "pd.read_csv(p, usecols=['a', 'zz'])", "ValueError", 1),
    (D, "pd.read_csv(p, index_col='zz')", "ValueError", 1),
    (D, "pd.read_csv(p, parse_dates=['zz'])", "ValueError", 1),
    (D, "d = pd.read_csv(p, index_col='a')\nd['a']", "KeyError", 2),
    (D, "d = pd.read_csv(p, header=None)\nd['a']", "KeyError", 2),
    (D, "d = pd.read_csv(p, names=['p', 'q', 'r'])\nd['a']", "KeyError", 2),
    (D, "d = pd.read_csv(semi)\nd['a']", "KeyError", 2),
    (D, "pd.read_csv(bad)", "ParserError", 1),
    (D, "pd.read_csv(empty)", "EmptyDataError", 1),
    (D, "d = pd.read_csv(big, parse_dates=['date'])\nd['zz']", "KeyError", 2),
    (D, "pd.read_csv(big, usecols=['zz'])", "ValueError", 1),
    (D, "files = glob.glob(folder + '/*.jpeg')\nfiles[0]", "IndexError", 2),
    (D, "pd.concat([pd.read_csv(f) for f in glob.glob(folder + '/*.xls')])", "ValueError", 1),
    (D, "if os.path.exists(p):\n  undefined", "NameError", 2),
    (D, "if not os.path.exists(folder + '/new'):\n  os.makedirs(folder + '/new')\nundefined", "NameError", 3),
    (D, "with open(p) as f:\n  for line in f:\n    line.strip()\nundefined", "NameError", 4),
    (D, "q = Path(folder)\nq.exists()\nq.foo", "AttributeError", 3),
    ("", "import foobar_missing", "ModuleNotFoundError", 1),
    ("", "import foobar_missing.sub as f", "ModuleNotFoundError", 1),
    ("", "from foobar_missing.sub import x", "ModuleNotFoundError", 1),
    ("", "import json, foobar_missing", "ModuleNotFoundError", 1),
    ("", "import os.foo", "ModuleNotFoundError", 1),
    ("import numpy", "import numpy.foo", "ModuleNotFoundError", 1),
    ("import pandas", "from pandas import DataFrames", "ImportError", 1),
    ("import seaborn", "from seaborn import factorplot", "ImportError", 1),
    ("", "from sklearn.preprocessing import Imputer", "ImportError", 1),
    ("", "from collections import Mapping", "ImportError", 1),
    ("", "try:\n  import foobar_missing\nexcept KeyError:\n  pass", "ModuleNotFoundError", 2),
]

WORKS: list[tuple[str, str]] = [
    (D, "d = pd.read_csv(p)\nd['a'] + d.b\nd[['a', 'name']].head()"),
    (D, "d = pd.read_csv(p, index_col='a', usecols=['a', 'b'])\nd['b']"),
    (D, "d = pd.read_csv(semi, sep=';')\nd['a']"),
    (D, "d = pd.read_csv(p, header=None)\nd[0]"),
    (D, "d = pd.read_csv(lat, encoding='latin-1')"),
    (D, "d = pd.read_csv(big, parse_dates=['date'])\nd['date'].dt.year"),
    (D, "df.to_csv(folder + '/new.csv')\npd.read_csv(folder + '/new.csv')['a']"),
    (D, "open(folder + '/n', 'w').close()\nopen(folder + '/n').read()"),
    (D, "import subprocess\nsubprocess.run(['touch', folder + '/n2'])\nopen(folder + '/n2').read()"),
    (D, "os.makedirs(folder + '/x/y', exist_ok=True)\nos.makedirs(folder, exist_ok=True)\nos.listdir(folder + '/x')"),
    (D, "os.chdir(folder)\npd.read_csv('s.csv')\nopen('s.csv').close()"),
    (D, "shutil.copy(p, folder + '/c.csv')\npd.read_csv(folder + '/c.csv')"),
    (D, "Path(folder, 'w.txt').write_text('x')\nopen(folder + '/w.txt').read()"),
    (D, "np.save(folder + '/n', np.zeros(3))\nnp.load(folder + '/n.npy')"),
    (D, "files = sorted(glob.glob(folder + '/s*.csv'))\nfor f in files:\n  pd.read_csv(f, sep=None, engine='python')"),
    (D, "for n in os.listdir(folder):\n  os.path.getsize(os.path.join(folder, n))"),
    (D, "def make(): open(folder + '/m', 'w').close()\nmake()\nopen(folder + '/m')"),
    (D, "if os.path.isfile(folder): undefined\nif not Path(p).exists(): undefined"),
    (D, "try:\n  open('nope')\nexcept FileNotFoundError:\n  pass"),
    ("", "try:\n  import foobar_missing\nexcept ImportError:\n  foobar_missing = None"),
    ("import sys, types\nsys.modules['foobar_made'] = types.ModuleType('foobar_made')", "import foobar_made"),
    (
        "import sys, tempfile, os\nh = tempfile.mkdtemp()\nopen(os.path.join(h, 'foobar_there.py'), 'w').write('a = 1')",
        "sys.path.append(h)\nimport foobar_there\nfoobar_there.a",
    ),
    (
        "import sys, tempfile, os\nh = tempfile.mkdtemp()\nsys.path.insert(0, h)",
        "with open(os.path.join(h, 'foobar_new.py'), 'w') as f: f.write('b = 2')\nimport foobar_new",
    ),
    ("", "from sklearn.preprocessing import StandardScaler\nfrom sklearn import preprocessing"),
    ("", "import xml.dom.minidom\nfrom concurrent.futures import ThreadPoolExecutor\nimport importlib.metadata"),
]

DOUBTFUL: list[tuple[str, str]] = [
    (D, "pd.read_csv('n.csv', sep=5)"),
    (D, "pd.read_csv('n.csv', encoding='foo')"),
    (D, "os.remove(p)\npd.read_csv(p)"),
]
