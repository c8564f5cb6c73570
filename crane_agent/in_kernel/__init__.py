"""What runs inside the user's kernel: standard library only, Python 3.8 syntax, nothing of ours from outside.

The modules are shipped as source and run in private namespaces (`boot`), so the kernel's interpreter needs no
package of ours installed and its `sys.modules` and namespace stay as they were.
"""
