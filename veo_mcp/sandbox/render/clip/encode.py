"""Writing the MP4: H.264 and AAC through PyAV, faststart, the file appearing only when it is whole.

Called by the clip maker. The only module that knows the codecs' options. Never keeps frames.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import PictureType, VideoFrame

from veo_mcp.sandbox.render.audio.loudness import RATE
from veo_mcp.sandbox.render.canvas.frame import F32, Frame

AUDIO_CHUNK = 1024


class Writer:
    def __init__(self, out: Path, w: int, h: int, fps: int, *, fine: bool, comment: str, exact: bool = False) -> None:
        """With `exact`, the first and the last frame must come close to given pictures: they are coded finely."""
        self.out = out
        self.part = out.with_name(out.name + ".part")
        self.container: Any = av.open(
            str(self.part), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
        )
        self.container.metadata["comment"] = comment
        self.container.metadata["title"] = "SANDBOX clip, drawn by arithmetic: no AI model"
        options = (
            {"preset": "superfast", "crf": "21", "maxrate": "12M", "bufsize": "16M", "aq-mode": "3"}
            if fine
            else {"preset": "ultrafast", "crf": "24", "maxrate": "9M", "bufsize": "12M"}
        )
        if exact:
            options |= {"x264-params": "ipratio=2.6", "maxrate": "20M", "bufsize": "20M"}
        video = self.container.add_stream("libx264", rate=fps, options=options)
        video.width, video.height, video.pix_fmt = w, h, "yuv420p"
        cc = video.codec_context
        cc.thread_count = 1
        cc.gop_size = fps * 2
        cc.colorspace, cc.color_range, cc.color_primaries, cc.color_trc = 1, 1, 1, 1
        video.time_base = Fraction(1, fps)
        audio = self.container.add_stream("aac", rate=RATE, layout="stereo", options={"aac_coder": "fast"})
        audio.bit_rate = 192_000 if fine else 128_000
        self.video, self.audio, self.fps, self.count = video, audio, fps, 0

    def frame(self, frame: Frame, *, key: bool = False) -> None:
        picture = VideoFrame.from_numpy_buffer(frame.buf, "yuv420p")
        picture.pts = self.count
        picture.time_base = Fraction(1, self.fps)
        picture.colorspace, picture.color_range = 1, 1
        if key:
            picture.pict_type = PictureType.I
        self.count += 1
        for packet in self.video.encode(picture):
            self.container.mux(packet)

    def sound(self, samples: F32) -> None:
        """All of the sound at once, shape (2, n)."""
        for start in range(0, samples.shape[1], AUDIO_CHUNK):
            block = np.ascontiguousarray(samples[:, start : start + AUDIO_CHUNK], np.float32)
            chunk = AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            chunk.sample_rate = RATE
            chunk.pts = start
            chunk.time_base = Fraction(1, RATE)
            for packet in self.audio.encode(chunk):
                self.container.mux(packet)

    def close(self) -> None:
        for stream in (self.video, self.audio):
            for packet in stream.encode(None):
                self.container.mux(packet)
        self.container.close()
        os.replace(self.part, self.out)

    def abandon(self) -> None:
        try:
            self.container.close()
        finally:
            self.part.unlink(missing_ok=True)
