"""One clip from a request: scenes chosen, frames composed, sound added, the MP4 written."""
