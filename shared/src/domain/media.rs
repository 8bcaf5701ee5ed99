//! What users upload past the functions: the kinds of file, and what a file must hold to be of one. Pictures are
//! [`super::picture`]'s; audio and video are looked at here and never changed. Sizes in a file are claims: nothing here
//! allocates, and whatever a file says, its bytes are passed once.
use std::ops::Range;

use super::MediaId;

/// A kind of file; the extension of a [`MediaId`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    Jpeg,
    Png,
    Webp,
    Gif,
    Mp3,
    M4a,
    Wav,
    Mp4,
}

/// What a kind of file is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Image,
    Audio,
    Video,
}

impl MediaKind {
    pub const ALL: [Self; 8] =
        [Self::Jpeg, Self::Png, Self::Webp, Self::Gif, Self::Mp3, Self::M4a, Self::Wav, Self::Mp4];

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
            Self::Wav => "audio/wav",
            Self::Mp4 => "video/mp4",
        }
    }

    /// Of a file name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Mp3 => "mp3",
            Self::M4a => "m4a",
            Self::Wav => "wav",
            Self::Mp4 => "mp4",
        }
    }

    /// What a content type names, in capitals or not, with parameters or not.
    pub fn of_content_type(text: &str) -> Option<Self> {
        let kind = text.split(';').next()?.trim();
        Self::ALL.into_iter().find(|known| known.content_type().eq_ignore_ascii_case(kind))
    }

    pub fn class(self) -> Class {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Gif => Class::Image,
            Self::Mp3 | Self::M4a | Self::Wav => Class::Audio,
            Self::Mp4 => Class::Video,
        }
    }

    /// The largest upload, in bytes.
    pub fn most_bytes(self) -> u64 {
        match self.class() {
            Class::Image => 10 << 20,
            Class::Audio => 20 << 20,
            Class::Video => 200 << 20,
        }
    }
}

impl MediaId {
    /// A media id as a request writes it: `None` where it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(text.to_owned());
        let uuid = text.rsplit_once('.')?.0.as_bytes();
        let fits = |(at, byte): (usize, &u8)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        };
        (uuid.len() == 36 && uuid.iter().enumerate().all(fits) && id.kind().is_some()).then_some(id)
    }

    /// What its extension says.
    pub fn kind(&self) -> Option<MediaKind> {
        let extension = self.0.rsplit_once('.')?.1;
        MediaKind::ALL.into_iter().find(|kind| kind.extension() == extension)
    }
}

/// A file of audio or video that is what it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recording {
    /// How long it is, rounded to whole seconds; `None` where the file does not say.
    pub seconds: Option<u64>,
}

/// A week, in seconds: 20 MiB are no longer, whatever they say.
const LONGEST: u64 = 7 * 24 * 60 * 60;

impl Recording {
    fn of(length: u64, in_a_second: u64) -> Self {
        let rounded = (u128::from(length) + u128::from(in_a_second / 2)).checked_div(u128::from(in_a_second));
        let seconds = rounded.and_then(|seconds| seconds.try_into().ok());
        Self { seconds: seconds.filter(|seconds| *seconds <= LONGEST) }
    }

    /// Looks at a whole file of audio; `None` where it is not of this kind.
    pub fn audio(kind: MediaKind, file: &[u8]) -> Option<Self> {
        match kind {
            MediaKind::Mp3 => mp3(file),
            MediaKind::Wav => wav(file),
            MediaKind::M4a => {
                let mut walk = Mp4::new(file.len() as u64);
                while let Some(wanted) = walk.wanted() {
                    walk.feed(&file[wanted.start as usize..wanted.end as usize])?;
                }
                let found = walk.end(Class::Audio)?;
                let seconds = found.seconds.or_else(|| in_fragments(file)?.seconds);
                Some(Self { seconds })
            }
            _ => None,
        }
    }
}

/// A walk over an MP4 file that asks for the few bytes it needs: the heads of the outer boxes, and the one that
/// describes the tracks.
pub struct Mp4 {
    size: u64,
    at: u64,
    /// Boxes that may still come.
    patience: usize,
    /// The description is what is wanted next, this long.
    description: Option<u64>,
    tracks: Option<Tracks>,
    has_data: bool,
}

#[derive(Default)]
struct Tracks {
    header: Option<Recording>,
    video: bool,
    audio: bool,
}

/// Each costs a request. Of a film in thousands of fragments the first ones are enough.
const MOST_BOXES: usize = 256;
/// It holds some bytes for each frame: an hour has a few MiB.
const LARGEST_DESCRIPTION: u64 = 16 << 20;
/// The longest head of a box, in bytes.
const LONGEST_HEAD: u64 = 16;

impl Mp4 {
    /// Of a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { size, at: 0, patience: MOST_BOXES, description: None, tracks: None, has_data: false }
    }

    /// Which bytes to feed next; never more than 16 MiB. `None` at the end.
    pub fn wanted(&self) -> Option<Range<u64>> {
        let length = self.description.unwrap_or(LONGEST_HEAD.min(self.size - self.at));
        let seen_enough = self.patience == 0 && self.tracks.is_some() && self.has_data;
        (length > 0 && !seen_enough).then(|| self.at..self.at + length)
    }

    /// Takes the bytes that were wanted. `None`: this is no MP4.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<()> {
        if let Some(length) = self.description.take() {
            self.tracks = Some(tracks(bytes)?);
            self.at += length;
            return Some(());
        }
        self.patience = self.patience.checked_sub(1)?;
        let (name, head, size) = box_head(bytes, self.size - self.at)?;
        match &name {
            b"ftyp" if self.at == 0 => {}
            _ if self.at == 0 => return None,
            b"moov" if self.tracks.is_some() || size - head > LARGEST_DESCRIPTION => return None,
            b"moov" => {
                self.at += head;
                self.description = Some(size - head).filter(|length| *length > 0);
                return Some(());
            }
            b"mdat" => self.has_data |= size > head,
            _ => {}
        }
        self.at += size;
        Some(())
    }

    /// What the file is, after all that was wanted. `None`: it is not of this class.
    pub fn end(self, class: Class) -> Option<Recording> {
        let tracks = self.tracks.filter(|_| self.has_data)?;
        match class {
            Class::Video if tracks.video => tracks.header,
            Class::Audio if tracks.audio && !tracks.video => tracks.header,
            _ => None,
        }
    }
}

/// A box's name, the length of its head and its whole size, of which `left` bytes may be there.
fn box_head(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let (size, name) = (u32::from_be_bytes(part(bytes, 0)?), part(bytes, 4)?);
    let (head, size) = match size {
        // To the end.
        0 => (8, left),
        1 => (16, u64::from_be_bytes(part(bytes, 8)?)),
        size => (8, size.into()),
    };
    (head <= size && size <= left).then_some((name, head, size))
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The boxes in a box; one that does not fit is the last, and `None`.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = Option<([u8; 4], &[u8])>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let whole = std::mem::take(&mut bytes);
        let Some((name, head, size)) = box_head(whole, whole.len() as u64) else { return Some(None) };
        let (this, rest) = whole.split_at(size as usize);
        bytes = rest;
        Some(Some((name, &this[head as usize..])))
    })
}

/// What the boxes of this name hold.
fn inside<'a>(bytes: &'a [u8], name: &'static [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
    boxes(bytes).flatten().filter(move |(found, _)| found == name).map(|(_, body)| body)
}

/// Reads what `moov` holds.
fn tracks(description: &[u8]) -> Option<Tracks> {
    let mut tracks = Tracks::default();
    for found in boxes(description) {
        match found? {
            (name, body) if &name == b"mvhd" => tracks.header = Some(header(body)?),
            (name, track) if &name == b"trak" => {
                for handler in inside(track, b"mdia").flat_map(|media| inside(media, b"hdlr")) {
                    let kind = part::<4>(handler, 8)?;
                    tracks.video |= &kind == b"vide";
                    tracks.audio |= &kind == b"soun";
                }
            }
            _ => {}
        }
    }
    Some(tracks)
}

fn header(body: &[u8]) -> Option<Recording> {
    let (in_a_second, length) = match body.first()? {
        0 => (u32::from_be_bytes(part(body, 12)?), u32::from_be_bytes(part(body, 16)?).into()),
        1 => (u32::from_be_bytes(part(body, 20)?), u64::from_be_bytes(part(body, 24)?)),
        _ => return None,
    };
    match length {
        _ if in_a_second == 0 => None,
        // Not known when it was written, as with recordings in fragments.
        0 | 0xFFFF_FFFF | u64::MAX => Some(Recording { seconds: None }),
        length => Some(Recording::of(length, in_a_second.into())),
    }
}

/// The length of a recording in fragments, as browsers make them: that of its samples together.
fn in_fragments(file: &[u8]) -> Option<Recording> {
    let number = |bytes, at| part(bytes, at).map(u32::from_be_bytes);
    let description = inside(file, b"moov").next()?;
    let media = inside(inside(description, b"trak").next()?, b"mdia").next()?;
    let clock = inside(media, b"mdhd").next()?;
    let in_a_second = number(clock, if clock.first()? == &0 { 12 } else { 20 }).filter(|ticks| *ticks > 0)?;
    // Unless a fragment says otherwise, and there a sample.
    let usual = inside(description, b"mvex").flat_map(|more| inside(more, b"trex")).next();
    let usual = usual.and_then(|usual| number(usual, 12)).unwrap_or_default();
    let mut length = 0_u64;
    for fragment in inside(file, b"moof").flat_map(|fragment| inside(fragment, b"traf")) {
        let head = inside(fragment, b"tfhd").next()?;
        let flags = number(head, 0)?;
        let at = 8 + if flags & 1 > 0 { 8 } else { 0 } + if flags & 2 > 0 { 4 } else { 0 };
        let usual = if flags & 8 > 0 { number(head, at)? } else { usual };
        for run in inside(fragment, b"trun") {
            let (flags, samples) = (number(run, 0)?, number(run, 4)?);
            if flags & 0x100 == 0 {
                length = length.saturating_add(u64::from(samples) * u64::from(usual));
                continue;
            }
            let first = 8 + if flags & 1 > 0 { 4 } else { 0 } + if flags & 4 > 0 { 4 } else { 0 };
            let size = 4 * (flags & 0xF00).count_ones() as usize;
            let each = run.get(first..)?.chunks_exact(size).take(samples as usize);
            length =
                each.filter_map(|sample| number(sample, 0)).fold(length, |sum, one| sum.saturating_add(one.into()));
        }
    }
    (length > 0).then(|| Recording::of(length, in_a_second.into()))
}

/// RIFF with a format that is read everywhere and samples that are all there.
fn wav(file: &[u8]) -> Option<Recording> {
    let (mut rest, mut a_second) = (file.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?, None);
    while !rest.is_empty() {
        let (name, size) = (part::<4>(rest, 0)?, u32::from_le_bytes(part(rest, 4)?) as usize);
        let body = rest[8..].get(..size)?;
        match (&name, a_second) {
            (b"fmt ", _) => {
                let [format, channels, frame, bits] = [0, 2, 12, 14].map(|at| part(body, at).map(u16::from_le_bytes));
                let rate = u32::from_le_bytes(part(body, 4)?);
                // PCM, floating point, A-law, µ-law, and the first two with more to say.
                let known = matches!(format?, 1 | 3 | 6 | 7 | 0xFFFE) && channels? > 0 && bits? >= 8 && rate > 0;
                let fits = u32::from(frame?) == u32::from(channels?) * u32::from(bits?.div_ceil(8));
                a_second = Some(u64::from(rate) * u64::from(frame?)).filter(|_| known && fits);
                a_second?;
            }
            (b"data", Some(a_second)) => return (size > 0).then(|| Recording::of(size as u64, a_second)),
            (b"data", None) => return None,
            _ => {}
        }
        // A chunk of odd size is filled up.
        rest = rest.get(8 + size.next_multiple_of(2)..).unwrap_or_default();
    }
    None
}

/// MPEG audio, layer III: frames, one behind the other, between tags. Something else may be in between, as it often
/// is, but not much.
fn mp3(file: &[u8]) -> Option<Recording> {
    let frames = without_tags(file)?;
    let (mut at, mut samples, mut heard, mut rate) = (0, 0, 0, None);
    while let Some(rest) = frames.get(at..).filter(|rest| !rest.is_empty()) {
        let next = Frame::read(rest).filter(|frame| rate.is_none_or(|rate| rate == frame.rate));
        match next.filter(|frame| frame.is_followed(rest)) {
            Some(frame) => {
                rate = Some(frame.rate);
                samples += frame.samples;
                heard += frame.length;
                at += frame.length;
            }
            None => at += 1,
        }
    }
    (heard > frames.len() / 4 * 3).then(|| Recording::of(samples, rate.unwrap_or_default()))
}

/// One frame, by its head of four bytes.
struct Frame {
    /// In bytes.
    length: usize,
    samples: u64,
    /// Samples a second.
    rate: u64,
}

impl Frame {
    fn read(bytes: &[u8]) -> Option<Self> {
        const FULL: [usize; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const LOW: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let [0xFF, b, c, _] = part(bytes, 0)? else { return None };
        // Version 1, 2, or what is called 2.5; layer III.
        let (kilobits, slower, samples) = match b & 0b1111_1110 {
            0b1111_1010 => (FULL, 1, 1152),
            0b1111_0010 => (LOW, 2, 576),
            0b1110_0010 => (LOW, 4, 576),
            _ => return None,
        };
        let rate = [44_100, 48_000, 32_000].get(usize::from(c >> 2 & 3))? / slower;
        // 0 means that it is not said, 15 nothing.
        let kilobits = kilobits.get(usize::from(c >> 4).checked_sub(1)?)?;
        let length = samples / 8 * kilobits * 1000 / rate + usize::from(c >> 1 & 1);
        Some(Self { length, samples: samples as u64, rate: rate as u64 })
    }

    /// Whether another one of the same rate comes next, or the end: four bytes alone may be anything.
    fn is_followed(&self, from: &[u8]) -> bool {
        match from.get(self.length..) {
            Some([]) => true,
            Some(next) => Self::read(next).is_some_and(|next| next.rate == self.rate),
            None => false,
        }
    }
}

/// What lies between the tags: ID3v2 before it; ID3v1 and APE behind it.
fn without_tags(mut file: &[u8]) -> Option<&[u8]> {
    while let Some(tag) = file.strip_prefix(b"ID3") {
        let size = part::<4>(tag, 3)?
            .iter()
            .try_fold(0, |size, byte| (*byte < 0x80).then(|| size << 7 | usize::from(*byte)))?;
        let footer = if tag[2] & 0x10 > 0 { 10 } else { 0 };
        file = file.get(10 + size + footer..)?;
    }
    if let Some((rest, b"TAG")) = file
        .split_at_checked(file.len().saturating_sub(128))
        .map(|(rest, tag)| (rest, tag.get(..3).unwrap_or_default()))
    {
        file = rest;
    }
    if let Some(ape) = file.last_chunk::<32>().filter(|footer| footer.starts_with(b"APETAGEX")) {
        let size = u32::from_le_bytes(part(ape, 12)?) as usize;
        let header = if ape[23] & 0x80 > 0 { 32 } else { 0 };
        file = &file[..file.len().checked_sub(size + header)?];
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "e4cbdd56-855a-41ee-bcb6-5785abdd6148";

    #[test]
    fn kinds_are_told_by_extension_and_content_type() {
        for kind in MediaKind::ALL {
            assert_eq!(MediaId(format!("{UUID}.{}", kind.extension())).kind(), Some(kind));
            assert_eq!(MediaKind::of_content_type(kind.content_type()), Some(kind));
        }
        assert_eq!(MediaKind::of_content_type("Audio/MP4; codecs=mp4a.40.2"), Some(MediaKind::M4a));
        for unknown in ["", "image", "image/heic", "text/html", "image/jpegs"] {
            assert_eq!(MediaKind::of_content_type(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn media_ids_are_read_strictly() {
        let id = format!("{UUID}.m4a");
        assert_eq!(MediaId::parse(&id), Some(MediaId(id.clone())));
        for bad in [
            "",
            ".mp4",
            UUID,
            &format!("{UUID}."),
            &format!("{UUID}.jpg"),
            &format!("{UUID}.JPEG"),
            &format!("{UUID}.exe.jpeg"),
            &format!("../{UUID}.jpeg"),
            &format!("{UUID}/.jpeg"),
            &format!(" {UUID}.jpeg"),
            &format!("{UUID}.jpeg "),
            &format!("{}.jpeg", UUID.to_uppercase()),
            &format!("{}.jpeg", UUID.replace('-', "0")),
            &format!("{}.jpeg", UUID.replace('e', "é")),
        ] {
            assert_eq!(MediaId::parse(bad), None, "{bad}");
        }
    }

    fn seconds(kind: MediaKind, file: &[u8]) -> Option<Option<u64>> {
        Recording::audio(kind, file).map(|recording| recording.seconds)
    }

    /// What a walk finds, and how many bytes it asked for.
    fn film(file: &[u8], size: u64) -> (Option<Recording>, u64) {
        let (mut walk, mut asked) = (Mp4::new(size), 0);
        while let Some(wanted) = walk.wanted() {
            asked += wanted.end - wanted.start;
            assert!(wanted.end <= size);
            // Of a file that is not really as long the rest is zeros.
            let bytes: Vec<u8> = wanted.map(|at| file.get(at as usize).copied().unwrap_or(0)).collect();
            if walk.feed(&bytes).is_none() {
                return (None, asked);
            }
        }
        (walk.end(Class::Video), asked)
    }

    fn is_film(file: &[u8]) -> bool {
        film(file, file.len() as u64).0.is_some()
    }

    fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes(), &name[..], body].concat()
    }

    fn ftyp() -> Vec<u8> {
        boxed(b"ftyp", b"isom\0\0\0\0isom")
    }

    fn mvhd(in_a_second: u32, length: u32) -> Vec<u8> {
        boxed(b"mvhd", &[&[0; 12], &in_a_second.to_be_bytes()[..], &length.to_be_bytes(), &[0; 80]].concat())
    }

    fn track(handler: &[u8; 4]) -> Vec<u8> {
        let handler = boxed(b"hdlr", &[&[0; 8], &handler[..], &[0; 13]].concat());
        boxed(b"trak", &[boxed(b"tkhd", &[0; 84]), boxed(b"mdia", &handler)].concat())
    }

    fn moov(handlers: &[&[u8; 4]]) -> Vec<u8> {
        let tracks = handlers.iter().map(|handler| track(handler));
        boxed(b"moov", &std::iter::once(mvhd(1000, 61_499)).chain(tracks).collect::<Vec<_>>().concat())
    }

    #[test]
    fn finds_tracks_and_length_wherever_they_are() {
        let (data, both, sound) = (boxed(b"mdat", &[7; 5000]), moov(&[b"soun", b"vide"]), moov(&[b"soun"]));
        let endless = [&[0, 0, 0, 0], &b"mdat"[..], &[7; 50]].concat();
        let large = [&[0, 0, 0, 1], &b"mdat"[..], &66_u64.to_be_bytes(), &[7; 50]].concat();
        for file in [
            [ftyp(), both.clone(), data.clone()].concat(),
            [ftyp(), boxed(b"free", b""), data.clone(), both.clone()].concat(),
            [ftyp(), both.clone(), endless].concat(),
            [ftyp(), large, both.clone()].concat(),
        ] {
            assert_eq!(film(&file, file.len() as u64).0, Some(Recording { seconds: Some(61) }));
            assert_eq!(seconds(MediaKind::M4a, &file), None, "a film is no audio");
        }
        let file = [ftyp(), data, sound].concat();
        assert_eq!((seconds(MediaKind::M4a, &file), is_film(&file)), (Some(Some(61)), false));
    }

    #[test]
    fn only_heads_and_the_description_of_a_film_are_read() {
        let size: u64 = 200 << 20;
        let (before, after) = ([ftyp(), moov(&[b"vide"])].concat(), boxed(b"free", b""));
        let data = (size - (before.len() + after.len()) as u64) as u32;
        let start = [&before, &data.to_be_bytes()[..], b"mdat"].concat();
        // Where the rest begins only zeros are seen, which is a box to the end.
        let (found, asked) = film(&start, size);
        assert!(found.is_some() && asked < 500, "{asked}");
    }

    #[test]
    fn lengths_of_both_versions_and_unknown_ones() {
        let long = boxed(b"mvhd", &[&[1], &[0; 19][..], &600_u32.to_be_bytes(), &90_301_u64.to_be_bytes()].concat());
        for (header, wanted) in [
            (mvhd(44_100, 22_049), Some(Some(0))),
            (mvhd(44_100, 22_050), Some(Some(1))),
            (mvhd(1, 604_800), Some(Some(604_800))),
            (mvhd(1, 604_801), Some(None)),
            (mvhd(1, u32::MAX - 1), Some(None)),
            (mvhd(1000, 0), Some(None)),
            (mvhd(1000, u32::MAX), Some(None)),
            (long, Some(Some(151))),
            (mvhd(0, 1000), None),
            (boxed(b"mvhd", b""), None),
            (boxed(b"mvhd", &[0; 19]), None),
            (boxed(b"mvhd", &[2; 100]), None),
        ] {
            let file = [ftyp(), boxed(b"moov", &[header, track(b"soun")].concat()), boxed(b"mdat", b"x")].concat();
            assert_eq!(seconds(MediaKind::M4a, &file), wanted);
        }
    }

    #[test]
    fn recordings_in_fragments_are_as_long_as_their_samples() {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        let clock = boxed(b"mdhd", &words(&[0, 0, 0, 8000, 0, 0]));
        let handler = boxed(b"hdlr", &[&[0; 8], &b"soun"[..], &[0; 13]].concat());
        let track = boxed(b"trak", &boxed(b"mdia", &[clock, handler].concat()));
        let usual = boxed(b"mvex", &boxed(b"trex", &words(&[0, 1, 1, 1000, 0, 0])));
        let start = [ftyp(), boxed(b"moov", &[mvhd(1000, 0), track, usual].concat())].concat();
        let fragment = |head: &[u32], run: &[u32]| {
            let parts = [boxed(b"tfhd", &words(head)), boxed(b"trun", &words(run))].concat();
            [boxed(b"moof", &boxed(b"traf", &parts)), boxed(b"mdat", b"x")].concat()
        };
        let of = |fragments: &[Vec<u8>]| seconds(MediaKind::M4a, &[start.clone(), fragments.concat()].concat());
        // 16 usual samples; 8 of 2000; two of 24,000 and 8000 between other numbers: 2, 2 and 4 s.
        let plain = fragment(&[0x02_0000, 1], &[0x1, 16, 0]);
        let own = fragment(&[0x02_000B, 1, 0, 0, 0, 2000], &[0x5, 8, 0, 0]);
        let each = fragment(&[0x02_0000, 1], &[0x301, 2, 0, 24_000, 7, 8000, 7]);
        assert_eq!(of(&[plain.clone(), own.clone(), each]), Some(Some(8)));
        assert_eq!(of(&[plain.clone(), fragment(&[0, 1], &[0x100, u32::MAX, 8000])]), Some(Some(3)));
        let endless = fragment(&[8, 1, u32::MAX], &[0, u32::MAX]);
        assert_eq!(of(&[endless.clone(), endless]), Some(None));
        for cut in [fragment(&[8, 1], &[0, 1]), fragment(&[0, 1], &[0]), fragment(&[0, 1], &[0x101, 1])] {
            assert_eq!(of(&[cut]), Some(None));
        }
        assert_eq!(of(&[boxed(b"mdat", b"x")]), Some(None));
        let whole = [start.clone(), plain, own].concat();
        for at in start.len()..whole.len() {
            for byte in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                seconds(MediaKind::M4a, &damaged);
            }
        }
    }

    #[test]
    fn what_is_no_film_is_refused() {
        let (data, tracks) = (boxed(b"mdat", &[7; 100]), moov(&[b"vide"]));
        let claims = |size: u32| [&size.to_be_bytes(), &b"mdat"[..], &[7; 50]].concat();
        let claims_large = |size: u64| [&[0, 0, 0, 1], &b"mdat"[..], &size.to_be_bytes(), &[7; 50]].concat();
        for bad in [
            vec![],
            b"<html>".to_vec(),
            [tracks.clone(), data.clone()].concat(),
            [data.clone(), ftyp(), tracks.clone()].concat(),
            [ftyp(), tracks.clone()].concat(),
            [ftyp(), data.clone()].concat(),
            [ftyp(), tracks.clone(), boxed(b"mdat", b"")].concat(),
            [ftyp(), tracks.clone(), tracks.clone(), data.clone()].concat(),
            [ftyp(), moov(&[b"hint", b"text"]), data.clone()].concat(),
            [ftyp(), boxed(b"moov", &track(b"vide")), data.clone()].concat(),
            [ftyp(), boxed(b"moov", b""), data.clone()].concat(),
            [ftyp(), boxed(b"moov", &[7; 90]), data.clone()].concat(),
            // A description that tells of boxes beyond it.
            [ftyp(), boxed(b"moov", &[mvhd(1, 1), claims(59)].concat()), data.clone()].concat(),
            [ftyp(), tracks.clone(), claims(59)].concat(),
            [ftyp(), tracks.clone(), claims(7)].concat(),
            [ftyp(), tracks.clone(), claims(u32::MAX)].concat(),
            [ftyp(), tracks.clone(), claims_large(15)].concat(),
            [ftyp(), tracks.clone(), claims_large(67)].concat(),
            [ftyp(), tracks.clone(), claims_large(u64::MAX)].concat(),
            [ftyp(), tracks.clone(), data.clone(), vec![0; 7]].concat(),
            [vec![ftyp()], vec![boxed(b"free", b""); 254], vec![tracks.clone(), data.clone()]].concat().concat(),
        ] {
            assert!(!is_film(&bad), "{:?}", &bad[..bad.len().min(200)]);
        }
        assert!(is_film(&[ftyp(), tracks.clone(), data.clone()].concat()));
        let fragments = [vec![ftyp(), tracks.clone()], vec![data.clone(); 10_000]].concat().concat();
        let (found, asked) = film(&fragments, fragments.len() as u64);
        assert!(found.is_some() && asked < 5000, "{asked}");
        // A description of 17 MiB is not even asked for.
        let claims = [ftyp(), [&(17_u32 << 20).to_be_bytes(), &b"moov"[..]].concat()].concat();
        assert_eq!(film(&claims, 100 << 20), (None, 32));
    }

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&name[..], &(body.len() as u32).to_le_bytes(), body, &[0][..body.len() % 2]].concat()
    }

    fn fmt(format: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let frame = channels * bits.div_ceil(8);
        let (a_second, format) = ((rate * u32::from(frame)).to_le_bytes(), format.to_le_bytes());
        let body =
            [&format, &channels.to_le_bytes(), &rate.to_le_bytes()[..], &a_second, &frame.to_le_bytes()].concat();
        chunk(b"fmt ", &[body, bits.to_le_bytes().into()].concat())
    }

    fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
        let chunks = chunks.concat();
        [&b"RIFF"[..], &(chunks.len() as u32 + 4).to_le_bytes(), b"WAVE", &chunks].concat()
    }

    #[test]
    fn wav_says_how_long_it_is() {
        let data = chunk(b"data", &[0; 32_000]);
        for (format, wanted) in [
            (fmt(1, 1, 8000, 16), 2),
            (fmt(1, 2, 8000, 16), 1),
            (fmt(1, 1, 8000, 8), 4),
            (fmt(3, 1, 8000, 32), 1),
            (fmt(7, 1, 8000, 8), 4),
            (fmt(0xFFFE, 1, 8000, 24), 1),
            (fmt(1, 1, 192_000, 32), 0),
        ] {
            let file = riff(&[chunk(b"LIST", b"odd"), format, data.clone(), chunk(b"id3 ", b"")]);
            assert_eq!(seconds(MediaKind::Wav, &file), Some(Some(wanted)));
        }
    }

    #[test]
    fn what_is_no_wav_is_refused() {
        let (format, data) = (fmt(1, 1, 8000, 16), chunk(b"data", &[0; 100]));
        let whole = riff(&[format.clone(), data.clone()]);
        assert!(seconds(MediaKind::Wav, &whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(seconds(MediaKind::Wav, &whole[..length]), None, "{length} bytes of it");
        }
        let mut hostile = whole.clone();
        hostile[40..44].fill(0xFF);
        let mut lies = format.clone();
        lies[20] = 4;
        for bad in [
            hostile,
            riff(&[data.clone(), format.clone()]),
            riff(&[format.clone(), chunk(b"data", b"")]),
            riff(&[fmt(0x55, 1, 8000, 16), data.clone()]),
            riff(&[fmt(1, 0, 8000, 16), data.clone()]),
            riff(&[fmt(1, 1, 0, 16), data.clone()]),
            riff(&[lies, data.clone()]),
            riff(&[chunk(b"fmt ", &[1; 15]), data.clone()]),
            [b"RIFX", &whole[4..]].concat(),
        ] {
            assert_eq!(seconds(MediaKind::Wav, &bad), None);
        }
    }

    /// Frames of 128 kbit/s at 44,100 Hz: 417 bytes and 1152 samples each.
    fn frames(number: usize) -> Vec<u8> {
        [&[0xFF, 0xFB, 0x90, 0][..], &[0; 413]].concat().repeat(number)
    }

    fn id3(size: u8) -> Vec<u8> {
        [&b"ID3\x04\0\0\0\0\x01"[..], &[size], &vec![0xFF; 128 + usize::from(size)]].concat()
    }

    #[test]
    fn mp3_is_as_long_as_its_frames() {
        let ape = [&[9; 68][..], b"APETAGEX\xD0\x07\0\0", &100_u32.to_le_bytes(), &[0; 16]].concat();
        // 100 frames are 2.61 s.
        for file in [
            frames(100),
            [id3(5), frames(100)].concat(),
            [id3(0), id3(127), frames(100), [&b"TAG"[..], &[b' '; 125]].concat()].concat(),
            [id3(5), frames(100), ape].concat(),
            // Something in between, and a last frame that is cut off.
            [frames(50), vec![0xFF; 900], frames(50), vec![], frames(1)[..300].into()].concat(),
        ] {
            assert_eq!(seconds(MediaKind::Mp3, &file), Some(Some(3)), "{} bytes", file.len());
        }
        // The same rate, but another bitrate each: 128 and 64 kbit/s.
        let slow = [&[0xFF, 0xFB, 0x50, 0][..], &[0; 204]].concat();
        assert_eq!(seconds(MediaKind::Mp3, &[frames(1), slow].concat().repeat(100)), Some(Some(5)));
        // Version 2 at 22,050 Hz, 64 kbit/s, padded: 209 bytes and 576 samples.
        let half = [&[0xFF, 0xF3, 0x82, 0][..], &[0; 205]].concat();
        assert_eq!(seconds(MediaKind::Mp3, &half.repeat(100)), Some(Some(3)));
    }

    #[test]
    fn a_tag_behind_an_mp3_is_passed_over_and_a_broken_one_is_no_panic() {
        let tag = |size: u32, flags: u8| {
            let mut footer = b"APETAGEX\xD0\x07\0\0".to_vec();
            footer.extend(size.to_le_bytes());
            footer.extend([0, 0, 0, 0, 0, 0, 0, flags]);
            footer.resize(32, 0);
            footer
        };
        let plain = Recording::audio(MediaKind::Mp3, &frames(100));
        assert!(plain.is_some());
        assert_eq!(Recording::audio(MediaKind::Mp3, &[frames(100), tag(32, 0)].concat()), plain);
        for file in [&b"APETAGEX\xD0\x07\0\0\0\0\0\0"[..], &tag(u32::MAX, 0x80), &tag(0, 0)[..31], &tag(0, 0)] {
            assert_eq!(Recording::audio(MediaKind::Mp3, file), None);
        }
    }

    #[test]
    fn what_is_no_mp3_is_refused() {
        let mut cut = id3(5);
        cut.pop();
        let mut number: u64 = 1;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            number = number.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (number >> 33) as u8
        })
        .take(1 << 20)
        .collect();
        for bad in [
            vec![],
            b"ID3".to_vec(),
            b"TAG".to_vec(),
            id3(5),
            cut,
            [&id3(5)[..], b"It was a dark and stormy night."].concat(),
            "It was a dark and stormy night. ".repeat(1000).into_bytes(),
            vec![0xFF; 100_000],
            vec![0; 100_000],
            [&b"ID3\x04\0\0\xFF\xFF\xFF\xFF"[..], &frames(10)].concat(),
            [frames(10), vec![b' '; 100_000]].concat(),
            [&frames(10)[..], &[0; 68], b"APETAGEX\xD0\x07\0\0\xFF\xFF\xFF\xFF", &[0xFF; 16]].concat(),
            noise,
        ] {
            assert_eq!(seconds(MediaKind::Mp3, &bad), None, "{:?}", &bad[..bad.len().min(50)]);
        }
    }

    #[test]
    fn every_cut_and_every_flipped_byte_has_an_answer() {
        let film = [ftyp(), moov(&[b"soun"]), boxed(b"mdat", &[7; 50])].concat();
        let tagged = [id3(1), frames(3), [&b"TAG"[..], &[b' '; 125]].concat()].concat();
        for (kind, file) in [
            (MediaKind::M4a, film),
            (MediaKind::Wav, riff(&[fmt(1, 1, 8000, 16), chunk(b"data", &[0; 100])])),
            (MediaKind::Mp3, tagged),
        ] {
            for at in 0..file.len() {
                seconds(kind, &file[..at]);
                for byte in [0, 1, 0x7F, 0x80, 0xFF] {
                    let mut damaged = file.clone();
                    damaged[at] = byte;
                    seconds(kind, &damaged);
                    is_film(&damaged);
                }
            }
        }
    }
}
