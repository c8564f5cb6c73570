"""Rows about small functions that are worked out for each element of a column, and about what loops leave behind."""

COLUMNS = """import pandas as pd, numpy as np
from datetime import datetime
s=pd.Series(['2020-01-%02d'%(i%28+1) for i in range(3000)])
h=pd.concat([s, pd.Series([None, np.nan], dtype=object)], ignore_index=True)
w=pd.Series(range(3000))
k=s.astype('category')
m={'2020': 1}
words=['a']
def year(v):
  if v is None: return 0
  part=v.split('-')
  return m[part[0]]"""
LOOP = "import pandas as pd\ndf=pd.DataFrame({'a':[1,2]})\nl=[1,2]\nclass A:\n  def __init__(s): s.x=1\ndef f(n): return A() if n else 3"

CRASHES = [
    (COLUMNS, "h.apply(lambda x: str(x).split('-')[0]).astype('int')", "ValueError", 1),
    (COLUMNS, "h.apply(lambda x: x.split('-')[0])", "AttributeError", 1),
    (COLUMNS, "s.apply(lambda x: x.split('-')[5])", "IndexError", 1),
    (COLUMNS, "s.map(lambda x: m[x[:4] if x < '2020-01-20' else 'no'])", "KeyError", 1),
    (COLUMNS, "h.apply(year)", "AttributeError", 1),
    (COLUMNS, "w.apply(lambda v: 1/(v-2999))", "ZeroDivisionError", 1),
    (COLUMNS, "w.apply(lambda v: int(str(v)) if v < 2000 else int(f'{v}x'))", "ValueError", 1),
    (COLUMNS, "s.apply(lambda x: ' '.join([p for p in x.split('-') if p not in words])).astype(float)", "ValueError", 1),
    (COLUMNS, "w.map(lambda v: v % 7).foo", "AttributeError", 1),
    (COLUMNS, "w.map(lambda v: 'even' if v % 2 == 0 else 'odd') + 1", "TypeError", 1),
    (LOOP, "for i in df.items(): x=i\nopen('none')", "FileNotFoundError", 2),
    (LOOP, "for i in range(3):\n  try: x=df.describe()\n  except OSError: continue\n  x.foo", "AttributeError", 4),
    (LOOP, "import numpy as np\nx=np.zeros((2,3))\nx['b']=df['a']", "IndexError", 3),
    (LOOP, "import numpy as np\nx=np.zeros((2,3))\nx[5]=df.apply(len)", "IndexError", 3),
    (LOOP, "import numpy as np\nx=np.zeros((2,3))\nx[0,0,0]=[f(0)]", "IndexError", 3),
    (LOOP, "total=0\nfor i in df.itertuples(): total+=i.a\ndf['zz']", "KeyError", 3),
]  # fmt: skip
WORKS = [
    (COLUMNS, "s.apply(lambda x: x.split('-')[0]).astype('int')"),
    (COLUMNS, "s.apply(year)+1"),
    (COLUMNS, "s.map(lambda x: int(x[:4]) if isinstance(x, str) else 0).astype(int)"),
    (COLUMNS, "w.apply(lambda v: v if v else 1/1)"),
    (COLUMNS, "k.apply(lambda v: v).cat.codes"),
    (COLUMNS, "w.apply(lambda v: [x for x in [0] if v if 1/v][:1])"),
    (COLUMNS, "str=lambda v: '7'\nh.apply(lambda x: str(x)).astype(int)"),
    (COLUMNS, "def g():\n  m={'2020': 'a'}\n  return s.apply(lambda x: m[x[:4]]).str.upper()\ng()"),
    (COLUMNS, "m['2020']='b'\ns.apply(year).str.upper()"),
    (LOOP, "for i in range(3):\n  try: x=int(str(i)+'')\n  except ValueError: continue\n  x+1"),
    (LOOP, "import os\nx=3\nfor i in range(3):\n  try: x=os.getlogin().zz\n  except Exception: continue\n  x.foo"),
    (LOOP, "import os\nfor i in range(3):\n  try:\n    x=os.getpid()\n    x=l\n  except OSError: pass\n  x.append(1)\nl[4]"),
    (LOOP, "x=l\nfor i in df.items(): x=x\nx+=[3]\nl[2]"),
    (LOOP, "x=3\nfor i in df.items():\n  x=f(i)\nx.x"),
    (LOOP, "x=3\ny=3\nfor i in [*df.items()]*3:\n  y=x\n  x=f(i)\ny.x"),
    (LOOP, "if len(df): x=l\nelse: x=3\nx.append(3)\nl[2]"),
]  # fmt: skip
DOUBTFUL = [
    (COLUMNS, "k.apply(lambda v: v).max()"),
    (COLUMNS, "s.apply(lambda x: datetime.strptime(x, '%Y'))"),
    (COLUMNS, "w.apply(lambda v: 'a' * v if v < 2000 else 'a' * None)"),
    (LOOP, "x=3\nfor i in df.items(): x=f(i)\nx+1"),
]
