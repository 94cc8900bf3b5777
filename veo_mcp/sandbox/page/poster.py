"""The still that stands for a clip until it is played.

Called by the sandbox's app in a thread, once a clip; the file is kept. The drawing libraries are imported only here.
"""

from pathlib import Path
from typing import Any

__all__ = ["write_poster"]

MOMENT = 0.42
"""The part of the clip at which the still is taken: titles have come, and nothing is fading yet."""
WIDTH = 640


def write_poster(clip: Path, target: Path) -> None:
    """Write one frame of the clip to `target` as a JPEG that appears only when it is whole."""
    import av

    with av.open(str(clip)) as video:
        stream = video.streams.video[0]
        wanted = int((stream.duration or 0) * MOMENT)
        video.seek(wanted, stream=stream)
        picture: Any = None
        for frame in video.decode(stream):
            picture = frame
            if frame.pts is not None and frame.pts >= wanted:
                break
        if picture is None:
            raise ValueError("the clip has no picture")
        image: Any = picture.to_image()
    image.thumbnail((WIDTH, WIDTH))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    image.save(part, "JPEG", quality=82)
    part.replace(target)
