"""A browser's own reading of the WebVTT that we write: the same texts, places and times, and nothing that runs."""

from playwright.sync_api import Page

from fileserver.media.subtitles.cue_text import ass_cue_text, plain_cue_text
from fileserver.media.subtitles.webvtt import Cue, made_whole, segment_text, track_text

_READ = """async (text) => {
    const video = document.createElement("video");
    const track = document.createElement("track");
    track.default = true;
    track.src = URL.createObjectURL(new Blob([text], {type: "text/vtt"}));
    document.body.append(video);
    video.append(track);
    track.track.mode = "hidden";
    await new Promise((loaded, failed) => { track.onload = loaded; track.onerror = failed; });
    return [...track.track.cues].map((cue) => {
        const shown = document.createElement("div");
        shown.append(cue.getCueAsHTML());
        return [cue.startTime, cue.endTime, `${cue.line} ${cue.position} ${cue.align}`, shown.innerHTML];
    });
}"""
_TEXTS = (
    ("{\\an8}<b>Tom</b> & <i>Jerry", "0 auto center", "<b>Tom</b> &amp; <i>Jerry</i>"),
    ("{\\an1}3 < 4 --> 5", "auto 0 start", "3 &lt; 4 --&gt; 5"),
    ("{\\an5}<script>window.hurt = 1</script>", "50 auto center", "&lt;script&gt;window.hurt = 1&lt;/script&gt;"),
    ("{\\an9}<img src=x onerror='window.hurt = 1'>", "0 100 end", "&lt;img src=x onerror='window.hurt = 1'&gt;"),
    ("<v Ann>two\n\nlines", "auto auto center", '<span title="Ann">two\nlines</span>'),
    ("<font color='red'>red</font>", "auto auto center", "red"),
)


def test_chromium_reads_what_was_written(page: Page) -> None:
    found = [plain_cue_text(text) for text, _, _ in _TEXTS]
    styled = ass_cue_text("{\\i1\\pos(1,2)}slanted\\Ntext")
    cues = [
        Cue(number * 2000, number * 2000 + 1500, each.text, each.settings)
        for number, each in enumerate([*found, styled])
    ]
    shown = [*((place, html) for _, place, html in _TEXTS), ("auto auto center", "<i>slanted\ntext</i>")]
    expected = [[number * 2, number * 2 + 1.5, *each] for number, each in enumerate(shown)]
    assert page.evaluate(_READ, track_text(made_whole(cues))) == expected
    assert page.evaluate(_READ, segment_text(cues, 0, 90_000 * 60)) == expected
    assert page.evaluate("window.hurt") is None
