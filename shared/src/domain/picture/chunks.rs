//! PNG and WebP files, reduced to what makes their first picture. So nothing that stands in between or behind, is
//! missing at the end or is promised and not there keeps a picture from being shown, as in every viewer.
use super::{Fault, MAX_PIXELS};
use crate::domain::Refusal;

/// A file that holds a picture and nothing else, and what the original says of how to turn it.
pub struct Reduced<'a> {
    pub file: Vec<u8>,
    pub exif: Option<&'a [u8]>,
}

/// Of a file that begins as a PNG does. Of an animation the picture for those who do not know animations.
pub fn png(file: &[u8]) -> Reduced<'_> {
    const SIGNATURE: usize = 8;
    let (start, mut rest) = file.split_at(SIGNATURE.min(file.len()));
    let mut reduced = Reduced { file: start.to_vec(), exif: None };
    // Size, name, body, checksum.
    while let Some((size, name)) = rest.first_chunk::<4>().zip(rest.get(4..8)) {
        let size = u32::from_be_bytes(*size) as usize;
        let Some((chunk, next)) = rest.split_at_checked(size + 12) else { break };
        match name {
            b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT" => reduced.file.extend(chunk),
            b"eXIf" => reduced.exif = reduced.exif.or(Some(&chunk[8..8 + size])),
            b"IEND" => break,
            _ => {}
        }
        rest = next;
    }
    reduced.file.extend(b"\0\0\0\0IEND\xAE\x42\x60\x82");
    reduced
}

/// Of a file that begins as a WebP does.
pub fn webp(file: &[u8]) -> Result<Reduced<'_>, Fault> {
    const FILE_HEADER: usize = 12;
    /// Its flags.
    const ANIMATED: u8 = 0x02;
    const ALPHA: u8 = 0x10;
    let (mut canvas, mut alpha, mut still, mut frame, mut exif) = (None, None, None, None, None);
    let mut rest = file.get(FILE_HEADER..).unwrap_or_default();
    while let Some(chunk) = Chunk::read(rest) {
        rest = chunk.next;
        let first = still.is_none() && frame.is_none();
        match (chunk.name, chunk.body) {
            (b"VP8X", Some(body)) => canvas = body.get(4..10),
            (b"ALPH", Some(body)) if first => alpha = Some(body),
            (b"VP8 " | b"VP8L", Some(body)) if first => still = Some((chunk.name, body)),
            (b"ANMF", Some(body)) if first => frame = Some(body),
            (b"EXIF", Some(body)) => exif = exif.or(Some(body)),
            _ => {}
        }
    }
    let extended = |flags: u8, canvas: &[u8]| written(b"VP8X", &[&[flags, 0, 0, 0], canvas].concat());
    let chunks = match (still, frame, canvas) {
        (Some((b"VP8 ", body)), _, Some(canvas)) if alpha.is_some() && frame_fits(body) => {
            let alpha = written(b"ALPH", alpha.unwrap_or_default());
            [extended(ALPHA, canvas), alpha, written(b"VP8 ", body)].concat()
        }
        (Some((name, body)), ..) if frame_fits(body) => written(name, body),
        (None, Some(frame), Some(canvas)) if animation_fits(frame) => {
            let background = written(b"ANIM", &[0; 6]);
            [extended(ANIMATED | ALPHA, canvas), background, written(b"ANMF", frame)].concat()
        }
        (None, None, _) | (None, _, None) => return Err(Refusal::ImageCutOff),
        _ => return Err(Refusal::ImageTooLarge),
    };
    let size = (chunks.len() as u32 + 4).to_le_bytes();
    Ok(Reduced { file: [b"RIFF", &size[..], b"WEBP", &chunks].concat(), exif })
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    /// Unless that is cut off.
    body: Option<&'a [u8]>,
    /// What is behind it.
    next: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (name, rest) = bytes.split_first_chunk()?;
        let (size, rest) = rest.split_first_chunk()?;
        let size = u32::from_le_bytes(*size) as usize;
        Some(Self { name, body: rest.get(..size), next: rest.get(size.next_multiple_of(2)..).unwrap_or_default() })
    }
}

fn written(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [name, &(body.len() as u32).to_le_bytes()[..], body, &[0][..body.len() % 2]].concat()
}

/// The decoder allocates a frame before it compares its size with the header's. Known by its start code, not by the
/// chunk's name: the decoder does not always look at that.
fn frame_fits(body: &[u8]) -> bool {
    let side = |low: &u8, high: &u8| u64::from(u16::from_le_bytes([*low, *high]) & 0x3FFF);
    !matches!(body, [_, _, _, 0x9D, 0x01, 0x2A, a, b, c, d, ..] if side(a, b) * side(c, d) > MAX_PIXELS)
}

/// The same for a frame of an animation; it allocates what a chunk claims, too.
fn animation_fits(frame: &[u8]) -> bool {
    const FRAME_HEADER: usize = 16;
    let mut rest = frame.get(FRAME_HEADER..).unwrap_or_default();
    while let Some(chunk) = Chunk::read(rest) {
        if !chunk.body.is_some_and(frame_fits) {
            return false;
        }
        rest = chunk.next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_into_webp_before_its_decoder_allocates() {
        let chunk = |name: &[u8], size: u32, body: &[u8]| [name, &size.to_le_bytes(), body].concat();
        let frame = |high| [&[0, 0, 0, 0x9D, 1, 0x2A, 0xFF, high, 0xFF, high][..], &[0; 6]].concat();
        let refused = |chunks: &[u8]| webp(&[b"RIFF\0\0\0\0WEBP", chunks].concat()).err().map(|fault| fault("x"));
        let (too_large, cut_off) = (Some(Refusal::ImageTooLarge("x")), Some(Refusal::ImageCutOff("x")));
        assert_eq!(refused(&[chunk(b"VP8 ", 16, &frame(0)), chunk(b"EXIF", 1, &[0; 2])].concat()), None);
        assert_eq!(refused(&chunk(b"VP8 ", 16, &frame(0x3F))), too_large);
        assert_eq!(refused(&chunk(b"VP8 ", u32::MAX, &frame(0))), cut_off);
        assert_eq!(refused(&[chunk(b"VP8 ", 16, &frame(0)), chunk(b"EXIF", u32::MAX, &[])].concat()), None);
        assert_eq!(refused(&chunk(b"EXIF", u32::MAX, &frame(0))), cut_off);
        let extended = chunk(b"VP8X", 10, &[2, 0, 0, 0, 9, 0, 0, 9, 0, 0]);
        for (high, size, wanted) in [(0, 16, None), (0x3F, 16, too_large.clone()), (0, u32::MAX, too_large.clone())] {
            let frames = [chunk(b"ALPH", 1, &[0; 2]), chunk(b"none", size, &frame(high))].concat();
            let animation = [&[0; 16], &frames[..]].concat();
            let animation = chunk(b"ANMF", animation.len() as u32, &animation);
            assert_eq!(refused(&[extended.clone(), animation].concat()), wanted);
        }
    }
}
