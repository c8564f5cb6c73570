"""The files that the examples of `crane_agent.tools.probes.files` are about."""

from pathlib import Path

Path("train.csv").write_text("id,price,city\n1,9.5,Rome\n2,8.0,Oslo\n3,7.5,Riga,x\n", encoding="utf-8")
for folder in ("cats", "dogs"):
    Path("images", folder).mkdir(parents=True, exist_ok=True)
    Path("images", folder, "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
