//! JPEG files. What makes the picture is looked through here and handed to the decoder alone: its first image, without
//! what stands in between and behind, and with the end that may be missing.
use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{ColorTransform, Decoder, Error};

use super::Fault;
use crate::domain::Refusal;

/// A file whose headers are good.
pub struct Jpeg<'a> {
    pub width: u32,
    pub height: u32,
    pub exif: Option<&'a [u8]>,
    colors: ColorTransform,
    /// What the decoder gets.
    image: Vec<u8>,
}

/// What a frame says of itself.
struct Frame<'a> {
    progressive: bool,
    height: u16,
    width: u16,
    /// Of each its id, sampling factors and quantization table.
    components: &'a [[u8; 3]],
}

/// Decoding begins anew with each scan; more than these many pixels in all are an attack, not a picture.
const MOST_WORK: u64 = 1_000_000_000;

impl<'a> Jpeg<'a> {
    /// Reads a file that begins as a JPEG does.
    pub fn read(file: &'a [u8]) -> Result<Self, Fault> {
        // The decoder then knows the usual Huffman tables, which cameras that film in JPEG leave out.
        let mut image = b"\xFF\xD8\xFF\xE0\0\x06AVI1".to_vec();
        image.reserve(file.len());
        let (mut frame, mut exif, mut jfif, mut adobe) = (None, None, false, None);
        let (mut scans, mut finished, mut ended) = (0, [0_u64; 256], false);
        let mut rest = file;
        while let Some((mark, next)) = next_mark(rest) {
            rest = next;
            match mark {
                0xD9 => {
                    ended = true;
                    break;
                }
                0x01 | 0xD0..=0xD8 => continue,
                _ => {}
            }
            let length = rest.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
            let Some((segment, next)) = length.and_then(|length| rest.split_at_checked(length)) else { break };
            let Some(body) = segment.get(2..) else { return Err(Refusal::ImageCutOff) };
            rest = next;
            match mark {
                0xC0..=0xC2 if frame.is_none() => frame = Some(Frame::read(mark, body)?),
                // Lossless, arithmetic, hierarchical: no browser shows them.
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC8..=0xCF => return Err(Refusal::ImageFormat),
                0xE0 => jfif |= body.starts_with(b"JFIF\0"),
                0xE1 if body.starts_with(b"Exif\0") => exif = exif.or(Some(body)),
                0xEE if body.starts_with(b"Adobe") => adobe = body.get(11).copied().or(adobe),
                _ => {}
            }
            if matches!(mark, 0xE0..=0xEF | 0xFE) {
                continue;
            }
            image.extend([0xFF, mark]);
            image.extend(segment);
            if mark == 0xDA {
                scans += 1;
                note_finished(&mut finished, body);
                let length = scan_length(rest);
                image.extend(&rest[..length]);
                rest = &rest[length..];
            }
        }
        let frame = frame.filter(|_| scans > 0).ok_or(Refusal::ImageCutOff as Fault)?;
        if !ended && !frame.components.iter().all(|[id, ..]| finished[usize::from(*id)] == u64::MAX) {
            return Err(Refusal::ImageCutOff);
        }
        let (width, height) = (frame.width.into(), frame.height.into());
        if u64::from(width) * u64::from(height) * scans > MOST_WORK {
            return Err(Refusal::ImageTooLarge);
        }
        // Ones alone are no Huffman code. So a scan that is all there never reads them, and one that is cut off ends
        // in an error, where a decoder would paint the rest grey: even the longest run of blocks without a code.
        image.extend(b"\xFF\x00".repeat(if frame.progressive { 1 << 18 } else { 1 << 6 }));
        image.extend(b"\xFF\xD9");
        Ok(Self { width, height, exif, colors: frame.colors(jfif, adobe)?, image })
    }

    pub fn pixels(self) -> Result<DynamicImage, Fault> {
        let mut decoder = Decoder::new(&self.image[..]);
        decoder.set_color_transform(self.colors);
        let mut bytes = decoder.decode().map_err(|error| match error {
            Error::Unsupported(_) => Refusal::ImageFormat as Fault,
            _ => Refusal::ImageCutOff,
        })?;
        let (width, height) = (self.width, self.height);
        let pixels = match self.colors {
            ColorTransform::Grayscale => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
            ColorTransform::CMYK | ColorTransform::YCCK => {
                mix_inks(&mut bytes);
                RgbImage::from_raw(width, height, bytes).map(DynamicImage::from)
            }
            _ => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
        };
        pixels.ok_or(Refusal::ImageCutOff)
    }
}

impl<'a> Frame<'a> {
    fn read(mark: u8, body: &'a [u8]) -> Result<Self, Fault> {
        let Some(([bits, height @ .., a, b, count], components)) = body.split_first_chunk::<6>() else {
            return Err(Refusal::ImageCutOff);
        };
        let (height, width) = (u16::from_be_bytes(*height), u16::from_be_bytes([*a, *b]));
        let components = match components.as_chunks() {
            (components, []) if components.len() == usize::from(*count) => components,
            _ => return Err(Refusal::ImageCutOff),
        };
        let frame = Self { progressive: mark == 0xC2, height, width, components };
        // A height that is told later nobody can read; no more do browsers show 12 bits.
        if *bits != 8 || frame.height == 0 || frame.width == 0 || !frame.has_plain_sampling() {
            return Err(Refusal::ImageFormat);
        }
        Ok(frame)
    }

    /// Whether each component is as fine as the finest or as coarse as can be. Other factors the decoder mixes up in
    /// scans of one component, and refuses where they do not divide.
    fn has_plain_sampling(&self) -> bool {
        let plain = |factor: fn(u8) -> u8| {
            let factors = self.components.iter().map(|[_, factors, _]| factor(*factors));
            let most = factors.clone().max().unwrap_or_default();
            factors.clone().all(|factor| factor == 1 || factor == most)
        };
        plain(|factors| factors >> 4) && plain(|factors| factors & 15)
    }

    /// What the components mean, as libjpeg and with it all browsers tell it.
    fn colors(&self, jfif: bool, adobe: Option<u8>) -> Result<ColorTransform, Fault> {
        match (self.components, adobe) {
            ([_], _) => Ok(ColorTransform::Grayscale),
            ([_, _, _], _) if jfif => Ok(ColorTransform::YCbCr),
            ([_, _, _], Some(0)) | ([[b'R', ..], [b'G', ..], [b'B', ..]], None) => Ok(ColorTransform::RGB),
            ([_, _, _], _) => Ok(ColorTransform::YCbCr),
            ([_, _, _, _], Some(0) | None) => Ok(ColorTransform::CMYK),
            ([_, _, _, _], Some(_)) => Ok(ColorTransform::YCCK),
            _ => Err(Refusal::ImageFormat),
        }
    }
}

/// The next mark and what follows it. Whatever stands before it is passed over, filling too.
fn next_mark(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = bytes.iter().position(|byte| *byte == 0xFF)?;
        let filled = bytes[at..].iter().position(|byte| *byte != 0xFF)?;
        let (mark, rest) = bytes[at + filled..].split_first()?;
        if *mark != 0 {
            return Some((*mark, rest));
        }
        bytes = rest;
    }
}

/// How long the data of a scan are, up to a mark that is none of its own or to the file's end. Half a mark there is
/// none of them.
fn scan_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(mark) = bytes[at..].iter().position(|byte| *byte == 0xFF) {
        at += mark;
        match bytes.get(at + 1) {
            Some(0 | 0xD0..=0xD7) => at += 2,
            Some(0xFF) => at += 1,
            _ => return at,
        }
    }
    bytes.len()
}

/// Of each component, by its id, the coefficients that are known to their last bit after a scan with this head.
fn note_finished(finished: &mut [u64; 256], head: &[u8]) {
    let Some(([count], rest)) = head.split_first_chunk() else { return };
    let Some((components, [first, last, bits])) = rest.split_at_checked(2 * usize::from(*count)) else { return };
    if bits & 15 == 0 && first <= last && *last < 64 {
        let coefficients = u64::MAX >> (63 - (last - first)) << first;
        for [id, _] in components.as_chunks().0 {
            finished[usize::from(*id)] |= coefficients;
        }
    }
}

/// What is left of white light behind the inks, each of which the decoder tells as how much it takes away. Printers'
/// profiles would say it better; browsers mix like this.
fn mix_inks(bytes: &mut Vec<u8>) {
    for pixel in 0..bytes.len() / 4 {
        let [a, b, c, black] = std::array::from_fn(|ink| u16::from(255 - bytes[4 * pixel + ink]));
        bytes[3 * pixel..3 * pixel + 3].copy_from_slice(&[a, b, c].map(|light| (light * black / 255) as u8));
    }
    bytes.truncate(bytes.len() / 4 * 3);
}
