"""Rows about progress bars, which hand on what they run through."""

BAR = """import sys
from tqdm import tqdm, trange
from tqdm.auto import tqdm as auto
l=[1,2,3]
d={'a':1}"""
FRAME = BAR + "\nimport pandas as pd, numpy as np\ndf=pd.DataFrame({'a':[1,2]})\nx=np.zeros((3000,2))"

CRASHES = [
    (BAR, "for i in tqdm(l): l[i+5]", "IndexError", 1),
    (BAR, "for i in auto(l, desc='k', leave=False):\n  d['b']", "KeyError", 2),
    (BAR, "for i in trange(3):\n  l[i+5]", "IndexError", 2),
    (BAR, "for n, i in enumerate(tqdm(l)): l[i]", "IndexError", 1),
    (BAR, "[d[i] for i in tqdm(l)]", "KeyError", 1),
    (BAR, "for i in tqdm(l): pass\ni.foo", "AttributeError", 2),
    (BAR, "p=tqdm(l)\nfor i in p:\n  p.set_description('a')\n  p.set_postfix(loss=1)\nd['zz']", "KeyError", 5),
    (BAR, "with tqdm(total=3) as p:\n  p.update(1)\n  l[9]", "IndexError", 3),
    (BAR, "len(tqdm(l))+'a'", "TypeError", 1),
    (FRAME, "for i, r in tqdm(df.iterrows(), total=2): r['zz']", "KeyError", 1),
    (FRAME, "for i in tqdm(range(3000)):\n  x[i]=open('none').read()", "FileNotFoundError", 2),
    (FRAME, "for i in tqdm(range(3000)):\n  try:\n    a=open('none').read()\n  except OSError: continue\n  x[i]=a\nx['b']=1", "IndexError", 6),
]  # fmt: skip
WORKS = [
    (BAR, "for i in tqdm(l): l[i-1]"),
    (BAR, "for i in trange(1, 3): l[i]"),
    (BAR, "for i in tqdm([]): l[9]"),
    (BAR, "p=tqdm(iter(l))\nnext(iter(p))\nfor i in p: pass"),
    (BAR, "p=tqdm(iter(l))\nfor i in p: pass\nfor i in p: l[9]"),
    (BAR, "p=tqdm(l)\nl.clear()\nfor i in p: d['b']"),
    (BAR, "with tqdm(l) as p:\n  for i in p: p.update()"),
]
DOUBTFUL = [
    (BAR, "tqdm(3, total='a', foo=1)"),
    (BAR, "for i in tqdm(3): pass"),
    (BAR, "trange(1.5)"),
]
