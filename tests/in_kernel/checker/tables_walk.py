"""Rows about the walk itself: functions, classes, loops, handlers, generators, and what is called back."""

DICT = "d={'a':1}"
LOADER = """import torch, torch.nn as nn
from torch.utils.data import DataLoader, Dataset
class S(Dataset):
  def __len__(s): return 10
  def __getitem__(s,i): return torch.zeros(3,8,8), 1
l=DataLoader(S(),batch_size=4,shuffle=True)
m=nn.Sequential(nn.Flatten(),nn.Linear(100,2))"""
FRAME = "import pandas as pd\ndf=pd.DataFrame({'a':[1,2],'b':['x','y'],'r':['2001-1',None]})"

CRASHES: list[tuple[str, str, str, int | None]] = [
    (DICT, "x=sum(d[k] for k in ['a','b'])", "KeyError", 1),
    (DICT, "x=list(map(lambda k: d[k], ['a','b']))", "KeyError", 1),
    (
        "class A:\n  def __init__(self,x):\n    self.x=x\n  def m(self): return self.y",
        "a=A(3)\na.m()",
        "AttributeError",
        2,
    ),
    ("def f(n):\n  if n==0: return 1/0\n  return f(n-1)", "f(2)", "ZeroDivisionError", 1),
    ("def f(x):\n  for i in range(5000):\n    if i>3: break\n  return i", "f(1)+'a'", "TypeError", 1),
    ("import numpy as np\nX=np.zeros((3,4))\ndef g(a):\n  return a@a", "y=g(X)", "ValueError", 1),
    ("class D:\n  def __init__(s): s.v=1\nd=D()", "d.v=[]\nd.v.append(2)\nd.v[3]", "IndexError", 3),
    ("l=[1,2]", "for i in l:\n  try:\n    l[5]\n  except IndexError:\n    pass\nl[7]", "IndexError", 6),
    ("", "class P:\n  a=1\n  def q(self): return self.a+self.b\nP().q()", "AttributeError", 4),
    ("", "def f():\n  x=[]\n  def g(): x.append(1)\n  g(); g()\n  return x[2]\nf()", "IndexError", 6),
    ("", "f=lambda a,b=2: a/b\nf(1,0)", "ZeroDivisionError", 2),
    ("", "w={}\nwhile len(w)<3:\n  w[len(w)]=1\nw[3]", "KeyError", 4),
    ("", "for i,x in zip([1],5): print(i,x)", "TypeError", 1),
    ("", "list(enumerate(5,0))", "TypeError", 1),
    ("", "x=max(y for y in [])", "ValueError", 1),
    ("a=[1]\nb=a", "b.append(2)\na[1]\na[2]", "IndexError", 3),
    (
        "class C:\n  def __init__(s,v): s.v=v\n  def add(s,x): s.v.append(x)\nc=C([1])",
        "c.add(3)\nc.v[1]\nc.v[2]",
        "IndexError",
        3,
    ),
    ("x=[1,2]\ndef f():\n  global x\n  x=[]", "f()\nx[0]", "IndexError", 2),
    ("def f(a,*b,k=1,**kw): return b[1]", "f(1,2)", "IndexError", 1),
    ("", "lst=[]\nfor i in range(3):\n  if i==5: lst.append(1)\nlst[0]", "IndexError", 4),
    ("import numpy as np", "a=np.zeros(3)\nfor i in range(4):\n  a[i]=1", "IndexError", 3),
    ("l=[1,2,3]\no=[]", "for i,x in enumerate(l): o.append(x)\no[3]", "IndexError", 2),
    (FRAME, "df['c']=df.apply(lambda r: r['z']+1, axis=1)", "KeyError", 1),
    (FRAME, "df['c']=df.apply(lambda r: r['a']+r['b'], axis=1)", "TypeError", 1),
    (FRAME, "df['r']=df['r'].apply(lambda x: str(x).split('-')[0]).astype(int)", "ValueError", 1),
    (FRAME, "def f(d):\n  d=d.copy()\n  d['n']=d['a']*2\n  return d.drop(columns='b')\ng=f(df)\ng['b']", "KeyError", 6),
    (FRAME, "df.drop([9],inplace=True)", "KeyError", 1),
    (LOADER, "for x,y in l:\n  out=m(x)", "RuntimeError", 2),
    (LOADER, "for i,(x,y) in enumerate(l,0):\n  m(x)", "RuntimeError", 2),
    (LOADER, "for i,(x,y) in enumerate(l,1):\n  x.shape[9]", "IndexError", 2),
    ("", "any(1/x for x in [1,0])\nundefined", "NameError", 2),
    ("from contextlib import suppress", "with suppress(KeyError):\n  {}['a']\n[][0]", "IndexError", 3),
    ("", "s={[1]}", "TypeError", 1),
]

WORKS: list[tuple[str, str]] = [
    (DICT, "g=(d[k] for k in 'ab')\nprint(1)"),
    ("", "for i,x in enumerate('ab',1): print(i,x)"),
    ("class A:\n  def __init__(self,x):\n    self.x=x\n  def m(self): return self.x", "a=A(3)\na.y=1\na.m()+a.y"),
    ("def f(n):\n  return 1 if n<2 else n*f(n-1)", "f(5)"),
    ("x=[]\ndef f():\n  global x\n  x=[1]", "f()\nx[0]"),
    ("x=[]\ndef f(): x.append(1)\ng=[f]", "g[0]()\nx[0]"),
    ("x=[]\nclass C:\n  def __add__(s,o): x.append(1)\nc=C()", "c+1\nx[0]"),
    ("x={}\nclass C:\n  def __getattr__(s,n): x[n]=1\nc=C()", "c.zz\nx['zz']"),
    ("l=[1,2]\nh=[l]", "m=sorted(h,key=len)[0]\nm.append(3)\nl[2]"),
    ("l=[1,2]\nh={'a':l}\nimport random", "k=random.choice(list(h))\nh[k].append(3)\nl[2]"),
    ("def deco(f):\n  def w(*a): return 1\n  return w", "@deco\ndef g(x): return x/0\ng(1)"),
    ("", "try:\n  raise ValueError\nexcept ValueError:\n  v=[1]\nv[0]"),
    ("", "class A:\n  def __getattr__(self,n): return 1\nA().x"),
    ("", "for i in range(3):\n  if i==1: break\nelse:\n  undefined\n"),
    ("", "def f():\n  return 1\n  undefined\nf()"),
    ("def f(x):\n  if x: return 1\n  undefined", "f(len('a'))"),
    ("import random\ndef f(x):\n  if random.random()<2: return 1\n  undefined", "f(1)"),
    ("", "l=[]\nwhile True:\n  l.append(1)\n  if len(l)>3: break\nl[3]"),
    (LOADER, "for i,(x,y) in enumerate(l,0):\n  x.shape[3]"),
    (FRAME, "df['c']=df.apply(lambda r: str(r['a'])+r['b'], axis=1)\ndf['c']"),
    ("", "s={(1,2)}"),
]

DOUBTFUL: list[tuple[str, str]] = [
    ("l=[1,2,3]", "x=[l.pop() for i in enumerate(l)]\nl[0].zz"),
    ("", "v1=1\nclass V:\n    del v1"),
    ("", "try:\n  l[9]\nexcept undefined:\n  pass"),
    ("", "class A:\n  @property\n  def p(self): return self.q\nA().p"),
    ("def gen():\n  yield 1\n  yield 1/0", "for v in gen(): pass"),
]
