//! What users upload past the functions: the kinds of file, and what a file must hold to be of one. Pictures are
//! [`super::picture`]'s; audio and video are looked at here and never changed. Sizes in a file are claims: nothing here
//! allocates much, and whatever a file says, its bytes are passed once or twice.
use std::ops::Range;

use super::MediaId;

/// A film of the kind that MP4 was made from; phones still name it so.
const QUICKTIME: &str = "video/quicktime";

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
pub enum MediaClass {
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

    /// Other names of types, as phones and browsers write them.
    pub const ALIASES: [(&'static str, Self); 7] = [
        ("image/jpg", Self::Jpeg),
        ("audio/mp3", Self::Mp3),
        ("audio/x-m4a", Self::M4a),
        ("audio/m4a", Self::M4a),
        ("audio/x-wav", Self::Wav),
        ("audio/wave", Self::Wav),
        (QUICKTIME, Self::Mp4),
    ];

    /// Every content type that [`Self::of_content_type`] knows.
    pub fn content_types() -> impl Iterator<Item = &'static str> {
        let aliases = Self::ALIASES.into_iter().map(|(name, _)| name);
        Self::ALL.into_iter().map(Self::content_type).chain(aliases)
    }

    /// What a content type names, in capitals or not, with parameters or not.
    pub fn of_content_type(text: &str) -> Option<Self> {
        let kind = text.split(';').next()?.trim();
        let own = Self::ALL.into_iter().map(|kind| (kind.content_type(), kind));
        own.chain(Self::ALIASES).find(|(name, _)| name.eq_ignore_ascii_case(kind)).map(|(_, kind)| kind)
    }

    pub fn class(self) -> MediaClass {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Gif => MediaClass::Image,
            Self::Mp3 | Self::M4a | Self::Wav => MediaClass::Audio,
            Self::Mp4 => MediaClass::Video,
        }
    }

    /// The largest upload, in bytes.
    pub fn most_bytes(self) -> u64 {
        match self.class() {
            MediaClass::Image => 10 << 20,
            MediaClass::Audio => 20 << 20,
            MediaClass::Video => 200 << 20,
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

/// Why a file is no recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    NotOfItsKind,
    /// It is, but some of it is missing.
    CutOff,
}

/// A week, in seconds: 20 MiB are no longer, whatever they say.
const LONGEST: u64 = 7 * 24 * 60 * 60;

impl Recording {
    fn of(length: u64, in_a_second: u64) -> Self {
        let rounded = (u128::from(length) + u128::from(in_a_second / 2)).checked_div(u128::from(in_a_second));
        let seconds = rounded.and_then(|seconds| seconds.try_into().ok());
        Self { seconds: seconds.filter(|seconds| *seconds <= LONGEST) }
    }

    /// Looks at a whole file of audio.
    pub fn audio(kind: MediaKind, file: &[u8]) -> Result<Self, Fault> {
        match kind {
            MediaKind::Mp3 => mp3(file).ok_or(Fault::NotOfItsKind),
            MediaKind::Wav => wav(file),
            MediaKind::M4a => {
                // Nothing here costs a request.
                let mut walk = Mp4 { patience: usize::MAX, ..Mp4::new(file.len() as u64) };
                while let Some(wanted) = walk.wanted() {
                    walk.feed(&file[wanted.start as usize..wanted.end as usize])?;
                }
                let tracks = walk.end(MediaClass::Audio)?;
                Ok(Self { seconds: tracks.in_fragments(file).or(tracks.header).or(longest(&tracks.tracks)) })
            }
            _ => Err(Fault::NotOfItsKind),
        }
    }
}

/// A walk over an MP4 file that asks for the few bytes it needs: the heads of the outer boxes, and the one that
/// describes the tracks. What is no box ends it, as it ends players' walks.
pub struct Mp4 {
    size: u64,
    at: u64,
    /// Boxes that may still come.
    patience: usize,
    /// The description is what is wanted next, this long.
    description: Option<u64>,
    tracks: Option<Tracks>,
    has_data: bool,
    quicktime: bool,
}

/// What a file's description tells.
#[derive(Default)]
pub struct Tracks {
    /// How many seconds it says to have.
    header: Option<u64>,
    tracks: Vec<Track>,
    has_header: bool,
    video: bool,
    audio: bool,
}

/// A track of audio.
#[derive(Clone)]
struct Track {
    id: u32,
    in_a_second: u32,
    /// Of the samples that the description tells of.
    length: u64,
    /// Of a sample in a fragment, unless that says otherwise.
    usual: u32,
    in_fragments: bool,
}

/// Each costs a request. Of a film in thousands of fragments the first ones are enough.
const MOST_BOXES: usize = 256;
/// It holds some bytes for each frame: an hour has a few MiB.
const LARGEST_DESCRIPTION: u64 = 16 << 20;
/// What is in them is looked for in each.
const MOST_TRACKS: usize = 8;
/// The longest head of a box, in bytes.
const LONGEST_HEAD: u64 = 16;

impl Mp4 {
    /// Of a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        let (at, description, tracks) = (0, None, None);
        Self { size, at, patience: MOST_BOXES, description, tracks, has_data: false, quicktime: false }
    }

    /// Which bytes to feed next; never more than 16 MiB. `None` at the end.
    pub fn wanted(&self) -> Option<Range<u64>> {
        let length = self.description.unwrap_or(LONGEST_HEAD.min(self.size - self.at));
        let seen_enough = self.patience == 0 && self.tracks.is_some() && self.has_data;
        (length > 0 && !seen_enough).then(|| self.at..self.at + length)
    }

    /// Takes the bytes that were wanted.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if let Some(length) = self.description.take() {
            self.tracks = Some(Tracks::read(bytes));
            self.at += length;
            return Ok(());
        }
        self.patience = self.patience.checked_sub(1).ok_or(Fault::NotOfItsKind)?;
        let left = self.size - self.at;
        let (name, head, size) = match box_head(bytes, left) {
            Some((name, ..)) if self.at == 0 && &name != b"ftyp" => return Err(Fault::NotOfItsKind),
            None if self.at == 0 => return Err(Fault::NotOfItsKind),
            Some((name, _, size)) if size > left && matches!(&name, b"ftyp" | b"moov" | b"mdat" | b"moof") => {
                return Err(Fault::CutOff);
            }
            Some(head) if head.2 <= left => head,
            // Behind the last box.
            _ => {
                self.at = self.size;
                return Ok(());
            }
        };
        match &name {
            b"ftyp" if self.at == 0 => self.quicktime = bytes.get(8..12) == Some(b"qt  "),
            b"moov" if self.tracks.is_some() || size - head > LARGEST_DESCRIPTION => return Err(Fault::NotOfItsKind),
            b"moov" => {
                self.at += head;
                self.description = Some(size - head).filter(|length| *length > 0);
                return Ok(());
            }
            b"mdat" => self.has_data |= size > head,
            _ => {}
        }
        self.at += size;
        Ok(())
    }

    /// What a film is called, which may have been asked for by its other name.
    pub fn content_type(&self) -> &'static str {
        if self.quicktime { QUICKTIME } else { MediaKind::Mp4.content_type() }
    }

    /// What the file is, after all that was wanted.
    pub fn end(self, class: MediaClass) -> Result<Tracks, Fault> {
        let tracks = self.tracks.filter(|_| self.has_data).ok_or(Fault::CutOff)?;
        let fits = match class {
            MediaClass::Video => tracks.video,
            MediaClass::Audio => tracks.audio && !tracks.video,
            MediaClass::Image => false,
        };
        if fits && tracks.has_header { Ok(tracks) } else { Err(Fault::NotOfItsKind) }
    }
}

/// A box's name, the length of its head and its whole size, with `left` bytes to the end.
fn box_head(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let (size, name) = (u32::from_be_bytes(part(bytes, 0)?), part(bytes, 4)?);
    let (head, size) = match size {
        // To the end.
        0 => (8, left),
        1 => (16, u64::from_be_bytes(part(bytes, 8)?)),
        size => (8, size.into()),
    };
    (head <= size).then_some((name, head, size))
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    part(bytes, at).map(u32::from_be_bytes)
}

/// The boxes in a box, up to what is none.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (name, head, size) = box_head(bytes, bytes.len() as u64)?;
        let (this, rest) = bytes.split_at_checked(usize::try_from(size).ok()?)?;
        bytes = rest;
        Some((name, &this[head as usize..]))
    })
}

/// What the boxes of this name hold.
fn inside<'a>(bytes: &'a [u8], name: &'static [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
    boxes(bytes).filter(move |(found, _)| found == name).map(|(_, body)| body)
}

impl Tracks {
    /// Reads what `moov` holds.
    fn read(description: &[u8]) -> Self {
        let mut tracks = Self::default();
        for (name, body) in boxes(description) {
            match &name {
                b"mvhd" => {
                    let header = clock(body).filter(|(in_a_second, _)| *in_a_second > 0);
                    tracks.has_header |= header.is_some();
                    tracks.header = header.and_then(|(in_a_second, length)| match length {
                        // Not known when it was written.
                        0 | 0xFFFF_FFFF | u64::MAX => None,
                        length => Recording::of(length, in_a_second.into()).seconds,
                    });
                }
                b"trak" => {
                    for media in inside(body, b"mdia") {
                        match inside(media, b"hdlr").find_map(|handler| part(handler, 8)) {
                            Some(kind) if &kind == b"vide" => tracks.video = true,
                            Some(kind) if &kind == b"soun" && tracks.tracks.len() < MOST_TRACKS => {
                                tracks.tracks.push(Track::read(body, media));
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        tracks.audio = !tracks.tracks.is_empty();
        for usual in inside(description, b"mvex").flat_map(|more| inside(more, b"trex")) {
            let (id, length) = (number(usual, 4), number(usual, 12));
            for track in tracks.tracks.iter_mut().filter(|track| Some(track.id) == id) {
                track.usual = length.unwrap_or_default();
            }
        }
        tracks
    }

    /// The same for a recording in fragments, as browsers make them, if it is one: all samples together. The headers
    /// may tell the length of all, of the part that they describe, or none.
    fn in_fragments(&self, file: &[u8]) -> Option<u64> {
        let mut tracks = self.tracks.clone();
        for fragment in inside(file, b"moof").flat_map(|fragment| inside(fragment, b"traf")) {
            let id = inside(fragment, b"tfhd").find_map(|head| number(head, 4));
            if let Some(track) = tracks.iter_mut().find(|track| Some(track.id) == id) {
                track.length = track.length.saturating_add(track.length_of(fragment).unwrap_or_default());
                track.in_fragments = true;
            }
        }
        tracks.iter().any(|track| track.in_fragments).then(|| longest(&tracks)).flatten()
    }
}

/// How many seconds the longest of these has.
fn longest(tracks: &[Track]) -> Option<u64> {
    let known = tracks.iter().filter(|track| track.length > 0);
    known.filter_map(|track| Recording::of(track.length, track.in_a_second.into()).seconds).max()
}

impl Track {
    fn read(track: &[u8], media: &[u8]) -> Self {
        let id = inside(track, b"tkhd").find_map(|head| number(head, if head.first()? == &1 { 20 } else { 12 }));
        let table = inside(media, b"minf").flat_map(|media| inside(media, b"stbl")).next().unwrap_or_default();
        let runs = inside(table, b"stts").filter_map(|runs| Some((number(runs, 4)? as usize, runs.get(8..)?)));
        let lengths = runs.flat_map(|(count, runs)| runs.as_chunks::<8>().0.iter().take(count)).map(|run| {
            let [samples, each] = [0, 4].map(|at| number(run, at).map_or(0, u64::from));
            samples * each
        });
        Self {
            id: id.unwrap_or_default(),
            in_a_second: inside(media, b"mdhd").find_map(clock).unwrap_or_default().0,
            length: lengths.fold(0, u64::saturating_add),
            usual: 0,
            in_fragments: false,
        }
    }

    /// How long the samples of a fragment are together.
    fn length_of(&self, fragment: &[u8]) -> Option<u64> {
        let head = inside(fragment, b"tfhd").next()?;
        let flags = number(head, 0)?;
        let at = 8 + if flags & 1 > 0 { 8 } else { 0 } + if flags & 2 > 0 { 4 } else { 0 };
        let usual = if flags & 8 > 0 { number(head, at)? } else { self.usual };
        let mut length = 0_u64;
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
        Some(length)
    }
}

/// How many units a header counts in a second, and how many it has.
fn clock(body: &[u8]) -> Option<(u32, u64)> {
    match body.first()? {
        0 => Some((number(body, 12)?, number(body, 16)?.into())),
        1 => Some((number(body, 20)?, part(body, 24).map(u64::from_be_bytes)?)),
        _ => None,
    }
}

/// RIFF with a format that is read everywhere. Of the lengths it tells only those count that can be: recorders that do
/// not know yet write 0, or one near the largest there is.
fn wav(file: &[u8]) -> Result<Recording, Fault> {
    /// Larger than any upload.
    const UNKNOWN: u64 = 0x7000_0000;
    let long = file.starts_with(b"RF64");
    let known = (file.starts_with(b"RIFF") || long) && file.get(8..12) == Some(b"WAVE");
    let mut rest = file.get(12..).filter(|_| known).ok_or(Fault::NotOfItsKind)?;
    let whole = part(file, 4).map_or(0, |size| u64::from(u32::from_le_bytes(size)) + 8);
    // The file says that there is more of it.
    let cut_off = whole > file.len() as u64 && whole < UNKNOWN;
    let missing = if cut_off { Fault::CutOff } else { Fault::NotOfItsKind };
    let (mut a_second, mut long_size) = (None, None);
    loop {
        let (name, size) = part::<4>(rest, 0).zip(part(rest, 4).map(u32::from_le_bytes)).ok_or(missing)?;
        rest = &rest[8..];
        if &name == b"data" {
            let a_second = a_second.ok_or(Fault::NotOfItsKind)?;
            let size = if long && size == u32::MAX { long_size.unwrap_or(0) } else { size.into() };
            let there = rest.len() as u64;
            let length = match size {
                0 if are_chunks(rest) => 0,
                0 | UNKNOWN.. => there,
                size if size > there && cut_off => return Err(Fault::CutOff),
                size => size.min(there),
            };
            return if length > 0 { Ok(Recording::of(length, a_second)) } else { Err(missing) };
        }
        let body = rest.get(..size as usize).ok_or(missing)?;
        match &name {
            b"fmt " => a_second = Some(bytes_a_second(body).ok_or(Fault::NotOfItsKind)?),
            b"ds64" => long_size = part(body, 8).map(u64::from_le_bytes),
            _ => {}
        }
        rest = &rest[body.len()..];
        // A chunk of odd size is filled up, with a zero mostly; some writers forget it.
        let forgotten = rest.starts_with(b"data") || rest.starts_with(b"fmt ");
        if body.len() % 2 == 1 && !forgotten {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
}

/// Of a format that is read everywhere: PCM, floating point, A-law, µ-law, and the first two with more to say.
fn bytes_a_second(format: &[u8]) -> Option<u64> {
    let [kind, channels, frame, bits] = [0, 2, 12, 14].map(|at| part(format, at).map(u16::from_le_bytes));
    let rate = u32::from_le_bytes(part(format, 4)?);
    let known = matches!(kind?, 1 | 3 | 6 | 7 | 0xFFFE) && channels? > 0 && bits? >= 8 && rate > 0;
    let fits = u32::from(frame?) == u32::from(channels?) * u32::from(bits?.div_ceil(8));
    (known && fits).then_some(u64::from(rate) * u64::from(frame?))
}

/// Whether these are whole chunks up to the end, or nothing.
fn are_chunks(mut bytes: &[u8]) -> bool {
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let (name, size) = head.split_at(4);
        let size = size.iter().rev().fold(0, |size, byte| size << 8 | usize::from(*byte));
        if !name.iter().all(|byte| (0x20..0x7F).contains(byte)) || size > rest.len() {
            return false;
        }
        bytes = rest.get(size.next_multiple_of(2)..).unwrap_or_default();
    }
    bytes.is_empty()
}

/// Samples are counted in parts of a second that all rates have in common.
const TICKS: u64 = 14_112_000;

/// MPEG audio, layer III: frames, one behind the other, between tags and filling. Something else may be in between, as
/// it often is, but not much.
fn mp3(file: &[u8]) -> Option<Recording> {
    let mut frames = without_tags_behind(file);
    // In bytes what was heard and what is neither frame, tag nor zero; and the rate of the frame that ends here.
    let (mut ticks, mut heard, mut other, mut before) = (0, 0, 0, None);
    while !frames.is_empty() {
        let next = Frame::read(frames).filter(|frame| frame.length <= frames.len());
        let next = next.filter(|frame| before == Some(frame.rate) || frame.is_followed(frames));
        before = next.as_ref().map(|frame| frame.rate);
        let passed = match next {
            Some(frame) => {
                ticks += frame.samples * (TICKS / frame.rate);
                heard += frame.length;
                frame.length
            }
            None => tag_before(frames).unwrap_or_else(|| {
                other += usize::from(frames[0] != 0);
                1
            }),
        };
        frames = frames.get(passed..).unwrap_or_default();
    }
    (heard > other).then(|| Recording::of(ticks, TICKS))
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
        let next = &from[self.length..];
        next.is_empty() || Self::read(next).is_some_and(|next| next.rate == self.rate)
    }
}

/// How long the tag is that these bytes begin with, if it is all there: ID3v2, or APE with its header.
fn tag_before(bytes: &[u8]) -> Option<usize> {
    let size = if let Some(tag) = bytes.strip_prefix(b"ID3") {
        let seven_bits = |size, byte: &u8| (*byte < 0x80).then(|| size << 7 | usize::from(*byte));
        let size = part::<4>(tag, 3)?.iter().try_fold(0, seven_bits)?;
        10 + size + if tag[2] & 0x10 > 0 { 10 } else { 0 }
    } else {
        32 + u32::from_le_bytes(part(bytes.strip_prefix(b"APETAGEX")?, 4)?) as usize
    };
    (size <= bytes.len()).then_some(size)
}

/// Without the tags that are found from their end: ID3v1, Lyrics3, APE, ID3v2 with a footer.
fn without_tags_behind(mut file: &[u8]) -> &[u8] {
    while let Some(rest) = tag_behind(file).and_then(|size| file.len().checked_sub(size)) {
        file = &file[..rest];
    }
    file
}

fn tag_behind(file: &[u8]) -> Option<usize> {
    if file.last_chunk::<128>().is_some_and(|tag| tag.starts_with(b"TAG")) {
        return Some(128);
    }
    if let Some(ape) = file.last_chunk::<32>().filter(|footer| footer.starts_with(b"APETAGEX")) {
        let header = if ape[23] & 0x80 > 0 { 32 } else { 0 };
        return Some(u32::from_le_bytes(part(ape, 12)?) as usize + header).filter(|size| *size >= 32);
    }
    if let Some(lyrics) = file.strip_suffix(b"LYRICS200") {
        let digits = std::str::from_utf8(lyrics.last_chunk::<6>()?).ok()?;
        return Some(digits.parse::<usize>().ok()? + 15);
    }
    if file.ends_with(b"LYRICSEND") {
        let most = &file[file.len().saturating_sub(5200)..];
        return Some(most.len() - most.windows(11).rposition(|part| part == b"LYRICSBEGIN")?);
    }
    if let Some(footer) = file.last_chunk::<10>().filter(|footer| footer.starts_with(b"3DI")) {
        let size = footer[6..].iter().fold(0, |size, byte| size << 7 | usize::from(*byte & 0x7F));
        return Some(size + 20);
    }
    None
}

/// Files as damage leaves them, the same ones each time.
#[cfg(test)]
pub(super) mod damage {
    use std::time::{Duration, Instant};

    pub struct Lcg(pub u64);

    impl Lcg {
        pub fn next(&mut self, below: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % below
        }

        /// The file with some bytes changed, written over, left out or doubled, and now and then cut.
        fn damaged(&mut self, whole: &[u8]) -> Vec<u8> {
            let mut file = whole.to_vec();
            for _ in 0..=self.next(4) {
                // Every other one near the start, where the header is.
                let reach = if self.next(2) == 0 { file.len().min(64) } else { file.len() };
                let at = self.next(reach.max(1)).min(file.len().saturating_sub(1));
                let to = (at + 1 + self.next(8)).min(file.len());
                match self.next(6) {
                    0 => drop(file.drain(at..to)),
                    1 => drop(file.splice(at..at, whole[..self.next(64).min(whole.len())].to_vec())),
                    2 => file[at..to].fill([0, 0xFF, 0x7F, 0x80][self.next(4)]),
                    _ if file.is_empty() => {}
                    _ => file[at] ^= 1 << self.next(8),
                }
            }
            if self.next(4) == 0 {
                file.truncate(self.next(file.len() + 1));
            }
            file
        }
    }

    /// Looks at many damaged files: 300, or what `FUZZ` says. `look` says whether it takes one. None may panic or take
    /// two seconds, and some must be taken, some not.
    pub fn survives(name: &str, whole: &[u8], look: impl Fn(Vec<u8>) -> bool) {
        #[expect(clippy::disallowed_methods, reason = "a longer run is asked for by hand")]
        let rounds = std::env::var("FUZZ").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(300);
        let (mut random, mut taken, mut slowest) = (Lcg(2), 0, Duration::ZERO);
        for round in 0..rounds {
            let file = random.damaged(whole);
            #[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
            let start = Instant::now();
            taken += usize::from(look(file));
            slowest = slowest.max(start.elapsed());
            assert!(slowest < Duration::from_secs(2), "{name}, round {round}: {slowest:?}");
        }
        println!("{name}: {taken} of {rounds} taken, the slowest in {slowest:?}");
        assert!((1..rounds).contains(&taken), "{name}: {taken} of {rounds} taken");
    }
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
        for (name, kind) in [
            ("image/jpg", MediaKind::Jpeg),
            ("audio/mp3", MediaKind::Mp3),
            ("audio/x-m4a", MediaKind::M4a),
            ("audio/m4a", MediaKind::M4a),
            ("audio/x-wav", MediaKind::Wav),
            ("audio/wave", MediaKind::Wav),
            ("video/quicktime", MediaKind::Mp4),
            ("Audio/MP4; codecs=mp4a.40.2", MediaKind::M4a),
            (" IMAGE/JPG ; q=1", MediaKind::Jpeg),
        ] {
            assert_eq!(MediaKind::of_content_type(name), Some(kind), "{name}");
        }
        assert_eq!(MediaKind::content_types().count(), 15);
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
        Recording::audio(kind, file).ok().map(|recording| recording.seconds)
    }

    /// What a walk finds, and how many bytes it asked for.
    fn film(file: &[u8], size: u64) -> (Result<Tracks, Fault>, u64) {
        let (mut walk, mut asked) = (Mp4::new(size), 0);
        while let Some(wanted) = walk.wanted() {
            asked += wanted.end - wanted.start;
            assert!(wanted.end <= size);
            // Of a file that is not really as long the rest is zeros.
            let bytes: Vec<u8> = wanted.map(|at| file.get(at as usize).copied().unwrap_or(0)).collect();
            if let Err(fault) = walk.feed(&bytes) {
                return (Err(fault), asked);
            }
        }
        (walk.end(MediaClass::Video), asked)
    }

    fn no_film(file: &[u8]) -> Option<Fault> {
        film(file, file.len() as u64).0.err()
    }

    fn is_film(file: &[u8]) -> bool {
        no_film(file).is_none()
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
            assert_eq!(film(&file, file.len() as u64).0.ok().and_then(|tracks| tracks.header), Some(61));
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
        assert!(found.is_ok() && asked < 500, "{asked}");
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

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A track of 8000 units a second, which describes these runs of samples itself.
    fn told(version: u8, id: u32, handler: &[u8; 4], runs: &[[u32; 2]]) -> Vec<u8> {
        let (head, clock) = match version {
            0 => (words(&[0, 0, 0, id]), words(&[0, 0, 0, 8000, 8000, 0])),
            _ => (words(&[1 << 24, 0, 0, 0, 0, id]), words(&[1 << 24, 0, 0, 0, 0, 8000, 0, 8000])),
        };
        let table = boxed(b"stts", &[words(&[0, runs.len() as u32]), words(runs.as_flattened())].concat());
        let handler = boxed(b"hdlr", &[&[0; 8], &handler[..], &[0; 13]].concat());
        let media = [boxed(b"mdhd", &clock), handler, boxed(b"minf", &boxed(b"stbl", &table))].concat();
        boxed(b"trak", &[boxed(b"tkhd", &head), boxed(b"mdia", &media)].concat())
    }

    /// By default, samples of 1000 units for track 1 and of 500 for track 2.
    fn fragmented(header: Vec<u8>, tracks: &[Vec<u8>]) -> Vec<u8> {
        let usual = [words(&[0, 1, 1, 1000, 0, 0]), words(&[0, 2, 1, 500, 0, 0])].map(|usual| boxed(b"trex", &usual));
        let more = boxed(b"mvex", &[boxed(b"mehd", &words(&[0, 9000])), usual.concat()].concat());
        [ftyp(), boxed(b"moov", &[header, tracks.concat(), more].concat())].concat()
    }

    fn fragment(head: &[u32], run: &[u32]) -> Vec<u8> {
        let parts = [boxed(b"tfhd", &words(head)), boxed(b"trun", &words(run))].concat();
        [boxed(b"moof", &boxed(b"traf", &parts)), boxed(b"mdat", b"x")].concat()
    }

    #[test]
    fn recordings_in_fragments_are_as_long_as_their_samples() {
        let start = fragmented(mvhd(1000, 0), &[told(0, 1, b"soun", &[])]);
        let of = |fragments: &[Vec<u8>]| seconds(MediaKind::M4a, &[start.clone(), fragments.concat()].concat());
        // 16 usual samples; 8 of 2000; two of 24,000 and 8000 between other numbers: 2, 2 and 4 s.
        let plain = fragment(&[0x02_0000, 1], &[0x1, 16, 0]);
        let own = fragment(&[0x02_000B, 1, 0, 0, 0, 2000], &[0x5, 8, 0, 0]);
        let each = fragment(&[0x02_0000, 1], &[0x301, 2, 0, 24_000, 7, 8000, 7]);
        assert_eq!(of(&[plain.clone(), own.clone(), each.clone()]), Some(Some(8)));
        assert_eq!(of(&[plain.clone(), fragment(&[0, 1], &[0x100, u32::MAX, 8000])]), Some(Some(3)));
        // Those of another track are not its own.
        assert_eq!(of(&[plain.clone(), fragment(&[0, 2], &[0, 1600])]), Some(Some(2)));
        let endless = fragment(&[8, 1, u32::MAX], &[0, u32::MAX]);
        assert_eq!(of(&[endless.clone(), endless]), Some(None));
        for cut in [fragment(&[8, 1], &[0, 1]), fragment(&[0, 1], &[0]), fragment(&[0, 1], &[0x101, 1])] {
            assert_eq!(of(&[cut]), Some(None));
        }
        assert_eq!(of(&[boxed(b"mdat", b"x")]), Some(None));
        // Thousands, and something behind.
        assert_eq!(of(&[plain.repeat(1000), b"\n".to_vec()]), Some(Some(2000)));
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
    fn a_length_told_in_two_places_is_the_sum() {
        let plain = fragment(&[0x02_0000, 1], &[0x1, 16, 0]);
        let fragments = plain.repeat(2);
        let long = boxed(b"mvhd", &[&[1], &[0; 19][..], &1000_u32.to_be_bytes(), &[0xFF; 8]].concat());
        for version in [0, 1] {
            // What the header says may be the first second, all five, nothing or "unknown".
            for header in [mvhd(1000, 1000), mvhd(1000, 5000), mvhd(1000, 0), mvhd(1000, u32::MAX), long.clone()] {
                let first = told(version, 1, b"soun", &[[7, 1000], [1, 1000]]);
                let start = fragmented(header.clone(), std::slice::from_ref(&first));
                let with = |more: &[u8]| seconds(MediaKind::M4a, &[&start[..], &boxed(b"mdat", b"x"), more].concat());
                assert_eq!(with(&fragments), Some(Some(5)));
                assert_eq!(with(&[boxed(b"sidx", &[0; 20]), fragments.clone()].concat()), Some(Some(5)));
                // The longest of several.
                let second = told(version, 2, b"soun", &[[1, 8000]]);
                let start = fragmented(header.clone(), &[first, second]);
                let more = fragment(&[0x02_0000, 2], &[0x1, 160, 0]);
                let file = [&start[..], &boxed(b"mdat", b"x"), &fragments, &more].concat();
                assert_eq!(seconds(MediaKind::M4a, &file), Some(Some(11)));
            }
        }
        // Without fragments the header counts, and where that says nothing the samples do.
        for (header, wanted) in [(mvhd(1000, 3000), 3), (mvhd(1000, 0), 2), (mvhd(1000, u32::MAX), 2), (long, 2)] {
            let description = boxed(b"moov", &[header, told(0, 1, b"soun", &[[1, 16_000]])].concat());
            let file = [ftyp(), description, boxed(b"mdat", b"x")].concat();
            assert_eq!(seconds(MediaKind::M4a, &file), Some(Some(wanted)));
        }
    }

    #[test]
    fn what_is_no_film_is_refused() {
        let (data, tracks) = (boxed(b"mdat", &[7; 100]), moov(&[b"vide"]));
        let claims = |size: u32| [&size.to_be_bytes(), &b"mdat"[..], &[7; 50]].concat();
        let claims_large = |size: u64| [&[0, 0, 0, 1], &b"mdat"[..], &size.to_be_bytes(), &[7; 50]].concat();
        let (not, cut_off) = (Fault::NotOfItsKind, Fault::CutOff);
        for (bad, fault) in [
            (vec![], cut_off),
            (b"<html>".to_vec(), not),
            (b"It was a dark and stormy night.".to_vec(), not),
            ([tracks.clone(), data.clone()].concat(), not),
            ([data.clone(), ftyp(), tracks.clone()].concat(), not),
            ([ftyp(), moov(&[b"hint", b"text"]), data.clone()].concat(), not),
            ([ftyp(), boxed(b"moov", &track(b"vide")), data.clone()].concat(), not),
            ([ftyp(), tracks.clone(), tracks.clone(), data.clone()].concat(), not),
            ([ftyp(), boxed(b"moov", &[7; 90]), data.clone()].concat(), not),
            // A description that tells of boxes beyond it.
            ([ftyp(), boxed(b"moov", &[mvhd(1, 1), claims(59)].concat()), data.clone()].concat(), not),
            ([vec![ftyp()], vec![boxed(b"free", b""); 254], vec![tracks.clone(), data.clone()]].concat().concat(), not),
            ([ftyp(), tracks.clone()].concat(), cut_off),
            ([ftyp(), data.clone()].concat(), cut_off),
            ([ftyp(), tracks.clone(), boxed(b"mdat", b"")].concat(), cut_off),
            ([ftyp(), boxed(b"moov", b""), data.clone()].concat(), cut_off),
            ([ftyp(), tracks.clone(), claims(59)].concat(), cut_off),
            ([ftyp(), tracks.clone(), claims(7)].concat(), cut_off),
            ([ftyp(), tracks.clone(), claims(u32::MAX)].concat(), cut_off),
            ([ftyp(), tracks.clone(), claims_large(15)].concat(), cut_off),
            ([ftyp(), tracks.clone(), claims_large(67)].concat(), cut_off),
            ([ftyp(), tracks.clone(), claims_large(u64::MAX)].concat(), cut_off),
            ([ftyp(), tracks.clone(), data.clone(), boxed(b"moof", b""), claims(59)].concat(), cut_off),
            ([ftyp(), data.clone(), tracks[..tracks.len() - 1].to_vec()].concat(), cut_off),
        ] {
            assert_eq!(no_film(&bad), Some(fault), "{:?}", &bad[..bad.len().min(200)]);
        }
        assert!(is_film(&[ftyp(), tracks.clone(), data.clone()].concat()));
        let fragments = [vec![ftyp(), tracks.clone()], vec![data.clone(); 10_000]].concat().concat();
        let (found, asked) = film(&fragments, fragments.len() as u64);
        assert!(found.is_ok() && asked < 5000, "{asked}");
        // A description of 17 MiB is not even asked for.
        let claims = [ftyp(), [&(17_u32 << 20).to_be_bytes(), &b"moov"[..]].concat()].concat();
        let (found, asked) = film(&claims, 100 << 20);
        assert_eq!((found.err(), asked), (Some(Fault::NotOfItsKind), 32));
    }

    #[test]
    fn what_is_behind_the_last_box_is_passed_over() {
        let data = boxed(b"mdat", &[7; 5000]);
        let to_the_end = |name: &[u8; 4], body: &[u8]| [&[0; 4], &name[..], body].concat();
        for behind in [
            &b""[..],
            &[0; 1],
            &[0; 4],
            &[0; 7],
            &[0; 8],
            &[0; 1000],
            b"\n",
            b"\r\n",
            b"\r\n--boundary--\r\n",
            b"It was a dark and stormy night.",
            &[0xFF; 100],
            &[0, 0, 0, 1],
            b"\0\0\0\x01free",
            b"\0\0\0\x07free",
            b"\0\0\0\x64free and no more",
            &to_the_end(b"free", &[7; 50]),
            &to_the_end(b"free", b""),
            b"ID3\x04\0\0\0\0\0\0TAG",
        ] {
            for (handler, audio) in [(b"soun", true), (b"vide", false)] {
                let file = [ftyp(), moov(&[handler]), data.clone(), behind.to_vec()].concat();
                let other = [ftyp(), data.clone(), moov(&[handler]), behind.to_vec()].concat();
                for file in [file, other] {
                    let found = if audio { seconds(MediaKind::M4a, &file) } else { is_film(&file).then_some(Some(61)) };
                    assert_eq!(found, Some(Some(61)), "{behind:?}");
                }
            }
        }
        // The last box may be any.
        let description = moov(&[b"soun"]);
        let last = [ftyp(), data.clone(), to_the_end(b"moov", &description[8..])].concat();
        assert_eq!(seconds(MediaKind::M4a, &last), Some(Some(61)));
        let last = [ftyp(), description.clone(), to_the_end(b"mdat", &[7; 50])].concat();
        assert_eq!(seconds(MediaKind::M4a, &last), Some(Some(61)));
        // QuickTime ends its lists with a zero.
        let ended = boxed(b"moov", &[&description[8..], &[0; 4]].concat());
        assert_eq!(seconds(MediaKind::M4a, &[ftyp(), ended, data].concat()), Some(Some(61)));
    }

    #[test]
    fn a_film_is_named_as_what_it_is() {
        for (brand, wanted) in [
            (b"qt  ", "video/quicktime"),
            (b"isom", "video/mp4"),
            (b"mp42", "video/mp4"),
            (b"3gp5", "video/mp4"),
            (b"M4V ", "video/mp4"),
        ] {
            let file =
                [boxed(b"ftyp", &[&brand[..], &[0; 4]].concat()), moov(&[b"vide"]), boxed(b"mdat", b"x")].concat();
            let mut walk = Mp4::new(file.len() as u64);
            while let Some(wanted) = walk.wanted() {
                walk.feed(&file[wanted.start as usize..wanted.end as usize]).unwrap();
            }
            assert_eq!(walk.content_type(), wanted);
            assert!(walk.end(MediaClass::Video).is_ok());
        }
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
            let wanted = if length < 12 { Fault::NotOfItsKind } else { Fault::CutOff };
            assert_eq!(Recording::audio(MediaKind::Wav, &whole[..length]), Err(wanted), "{length} bytes of it");
        }
        let mut lies = format.clone();
        lies[20] = 4;
        for bad in [
            riff(&[data.clone(), format.clone()]),
            riff(&[format.clone(), chunk(b"data", b"")]),
            riff(&[format.clone(), chunk(b"data", b""), chunk(b"LIST", b"INFO"), chunk(b"id3 ", b"odd")]),
            riff(&[fmt(0x55, 1, 8000, 16), data.clone()]),
            riff(&[fmt(1, 0, 8000, 16), data.clone()]),
            riff(&[fmt(1, 1, 0, 16), data.clone()]),
            riff(&[lies, data.clone()]),
            riff(&[chunk(b"fmt ", &[1; 15]), data.clone()]),
            riff(&[format.clone(), vec![0; 1000]]),
            [b"RIFX", &whole[4..]].concat(),
            [b"RIFF\0\0\0\0AVI ", &whole[12..]].concat(),
        ] {
            assert_eq!(Recording::audio(MediaKind::Wav, &bad), Err(Fault::NotOfItsKind));
        }
    }

    #[test]
    fn a_wav_of_unknown_length_goes_to_the_end_of_the_file() {
        let format = fmt(1, 1, 8000, 16);
        let samples = [&[1, 2, 3, 4][..], &[7; 47_996]].concat();
        let file = |whole: u32, size: u32, before: &[u8]| {
            let head = [b"RIFF", &whole.to_le_bytes()[..], b"WAVE", before, &format, b"data", &size.to_le_bytes()];
            [head.concat(), samples.clone()].concat()
        };
        for size in
            [0, 0x7FFF_F000, 0x7FFF_FFFF, 0x7FFF_FFDB, 0x8000_0000, 0x8000_0024, 0xFFFF_FFDA, 0xFFFF_FFFE, u32::MAX]
        {
            // The file's own length is just as unknown, or nearly the same, or true.
            for whole in [0, size, size.saturating_add(36), 48_036, 36, u32::MAX] {
                for before in [vec![], chunk(b"LIST", b"INFOISFT\x0E\0\0\0Lavf60.16.100\0"), chunk(b"JUNK", &[0; 28])] {
                    let file = file(whole, size, &before);
                    assert_eq!(seconds(MediaKind::Wav, &file), Some(Some(3)), "{size:#X} of {whole:#X}");
                }
            }
        }
        // One that is a little too long in a file that is whole.
        assert_eq!(seconds(MediaKind::Wav, &file(48_036, 48_044, b"")), Some(Some(3)));
        assert_eq!(Recording::audio(MediaKind::Wav, &file(96_036, 96_000, b"")), Err(Fault::CutOff));
        // Lengths of 64 bits, in a chunk of their own: told, unknown or missing.
        for (size, told) in [
            (u32::MAX, Some(48_000)),
            (u32::MAX, Some(0)),
            (u32::MAX, Some(u64::MAX)),
            (u32::MAX, None),
            (48_000, Some(0)),
        ] {
            let told = told.map(|size: u64| chunk(b"ds64", &[&[0; 8], &size.to_le_bytes()[..], &[0; 12]].concat()));
            let mut file = file(u32::MAX, size, &told.unwrap_or_default());
            file[..4].copy_from_slice(b"RF64");
            assert_eq!(seconds(MediaKind::Wav, &file), Some(Some(3)));
        }
    }

    #[test]
    fn what_is_behind_a_wavs_samples_is_passed_over() {
        let (format, data) = (fmt(1, 1, 8000, 16), chunk(b"data", &[7; 48_000]));
        for behind in
            [&b""[..], b"\n", &[0; 1], &[0; 4], &[0; 5000], b"TAG and more", b"LIST\xFF\xFF\xFF\xFF", b"id3 \x04\0"]
        {
            let file = [riff(&[format.clone(), data.clone()]), behind.to_vec()].concat();
            assert_eq!(seconds(MediaKind::Wav, &file), Some(Some(3)), "{behind:?}");
        }
        // Chunks of odd size, filled up with this or that or not at all.
        for fill in [&b""[..], b"\0", b"x", b"\xFF"] {
            let odd = [&b"note\x03\0\0\0odd"[..], fill].concat();
            for file in
                [riff(&[odd.clone(), format.clone(), data.clone()]), riff(&[format.clone(), odd.clone(), data.clone()])]
            {
                assert_eq!(seconds(MediaKind::Wav, &file), Some(Some(3)), "{fill:?}");
            }
        }
        let odd = [&b"data\x41\x1F\0\0"[..], &[7; 8001]].concat();
        assert_eq!(seconds(MediaKind::Wav, &riff(&[fmt(1, 1, 8000, 8), odd])), Some(Some(1)));
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
    fn what_players_pass_over_around_an_mp3_is_passed_over() {
        let ape = |flags: u8, size: u32| {
            [&b"APETAGEX\xD0\x07\0\0"[..], &size.to_le_bytes(), &[0, 0, 0, 0, 0, 0, 0, flags], &[0; 8]].concat()
        };
        let items = [9; 68];
        let (header, footer) = (ape(0xA0, 100), ape(0x80, 100));
        let whole_ape = [&header[..], &items, &footer].concat();
        let id3v1 = [&b"TAG"[..], &[b' '; 125]].concat();
        let lyrics = b"LYRICSBEGININD0000200ETT00010Its a titleX000048LYRICS200".to_vec();
        let lyrics = [&lyrics[..11], &[b'w'; 37], b"000048LYRICS200"].concat();
        let old_lyrics = [&b"LYRICSBEGIN"[..], &[b'l'; 900], b"LYRICSEND"].concat();
        let id3_behind = [&b"ID3\x04\0\0\x10\0\0\x28"[..], &[9; 40], b"3DI\x04\0\0\x10\0\0\x28"].concat();
        // As encoders write it before the music: a frame that says how many there are, or 0 where they did not know.
        let told = |kind: &[u8; 4], number: u32| {
            let mut frame = frames(1);
            frame[36..40].copy_from_slice(kind);
            frame[40..52].copy_from_slice(&[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
            frame[44..48].copy_from_slice(&number.to_be_bytes());
            frame
        };
        let zeros = vec![0; 5000];
        for (before, behind) in [
            (vec![], vec![]),
            (vec![], vec![0]),
            (vec![], zeros.clone()),
            (zeros.clone(), vec![]),
            (zeros.clone(), zeros.clone()),
            (vec![0; 100_000], vec![0; 100_000]),
            (id3(5), zeros.clone()),
            ([id3(5), zeros.clone()].concat(), vec![]),
            ([zeros.clone(), id3(5)].concat(), vec![]),
            ([id3(5), zeros.clone(), id3(90), vec![0; 3]].concat(), vec![]),
            ([id3(127), id3(127), id3(127), id3(127)].concat(), id3v1.clone()),
            (b"ID3\x04\0\0\xFF\xFF\xFF\xFF".to_vec(), vec![]),
            (b"\n\n<!-- \r\n".repeat(100), vec![]),
            (vec![0xFF; 3000], vec![0xFF; 3000]),
            (vec![], id3v1.clone()),
            (vec![], [id3v1.clone(), id3v1.clone()].concat()),
            (vec![], [zeros.clone(), id3v1.clone()].concat()),
            (vec![], [id3v1.clone(), zeros.clone()].concat()),
            (vec![], [id3v1.clone(), b"\n".to_vec()].concat()),
            (vec![], whole_ape.clone()),
            (whole_ape.clone(), vec![]),
            (vec![], [whole_ape.clone(), id3v1.clone()].concat()),
            (vec![], [id3v1.clone(), whole_ape.clone()].concat()),
            (vec![], lyrics.clone()),
            (vec![], [lyrics.clone(), id3v1.clone()].concat()),
            (vec![], [old_lyrics.clone(), id3v1.clone()].concat()),
            (vec![], [whole_ape, lyrics, id3v1.clone()].concat()),
            (vec![], id3_behind.clone()),
            (vec![], [id3_behind, id3v1].concat()),
            (vec![], id3(100)),
            (vec![], b"It was a dark and stormy night.".to_vec()),
            (told(b"Xing", 100), vec![]),
            (told(b"Xing", 0), vec![]),
            (told(b"Info", u32::MAX), vec![]),
        ] {
            let file = [before.clone(), frames(100), behind.clone()].concat();
            let shown = (&before[..before.len().min(20)], &behind[..behind.len().min(20)]);
            assert_eq!(seconds(MediaKind::Mp3, &file), Some(Some(3)), "{shown:?}");
        }
        // Two files in one, of another rate each: 2.61 and 2.61 s.
        let half = [&[0xFF, 0xF3, 0x82, 0][..], &[0; 205]].concat().repeat(100);
        assert_eq!(seconds(MediaKind::Mp3, &[frames(100), half].concat()), Some(Some(5)));
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
        assert!(plain.is_ok());
        assert_eq!(Recording::audio(MediaKind::Mp3, &[frames(100), tag(32, 0)].concat()), plain);
        for file in [&b"APETAGEX\xD0\x07\0\0\0\0\0\0"[..], &tag(u32::MAX, 0x80), &tag(0, 0)[..31], &tag(0, 0)] {
            assert_eq!(Recording::audio(MediaKind::Mp3, file), Err(Fault::NotOfItsKind));
            assert_eq!(Recording::audio(MediaKind::Mp3, &[&frames(100)[..], file].concat()), plain);
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
            [frames(10), vec![b' '; 100_000]].concat(),
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

    #[test]
    fn survives_damage() {
        let fragments =
            [fragment(&[0x02_0000, 1], &[1, 16, 0]), fragment(&[0x02_0008, 1, 500], &[0x301, 2, 0, 7, 7, 7, 7])];
        let start =
            fragmented(mvhd(1000, 1000), &[told(0, 1, b"soun", &[[8, 1000]]), told(1, 2, b"soun", &[[1, 8000]])]);
        let tagged = [id3(1), vec![0; 40], frames(5), [&b"TAG"[..], &[b' '; 125]].concat()].concat();
        let long = chunk(b"ds64", &[&[0; 8], &300_u64.to_le_bytes()[..], &[0; 12]].concat());
        let mut long = riff(&[long, fmt(1, 1, 8000, 16), [&b"data\xFF\xFF\xFF\xFF"[..], &[7; 300]].concat()]);
        long[..4].copy_from_slice(b"RF64");
        for (name, kind, file) in [
            ("M4A", MediaKind::M4a, [ftyp(), moov(&[b"soun"]), boxed(b"mdat", &[7; 50]), b"\n".to_vec()].concat()),
            ("M4A in fragments", MediaKind::M4a, [start, boxed(b"mdat", b"x"), fragments.concat()].concat()),
            ("WAV", MediaKind::Wav, riff(&[chunk(b"LIST", b"odd"), fmt(1, 1, 8000, 16), chunk(b"data", &[0; 300])])),
            ("WAV of 64 bits", MediaKind::Wav, long),
            ("MP3", MediaKind::Mp3, tagged),
        ] {
            damage::survives(name, &file, |file| match Recording::audio(kind, &file) {
                Ok(_) => {
                    // Whatever was done to it, it is still of its kind.
                    match kind {
                        MediaKind::M4a => assert_eq!(&file[4..8], b"ftyp"),
                        MediaKind::Wav => assert_eq!(&file[8..12], b"WAVE"),
                        _ => assert!(file.windows(2).any(|pair| pair[0] == 0xFF && pair[1] >= 0xE0)),
                    }
                    true
                }
                Err(_) => false,
            });
        }
        let both = [ftyp(), moov(&[b"vide", b"soun"]), boxed(b"mdat", &[7; 50]), boxed(b"free", b"x")].concat();
        damage::survives("MP4", &both, |file| is_film(&file));
    }
}
