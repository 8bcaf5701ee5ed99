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
        // Filling belongs to the mark behind it.
        let filled = bytes[at..].iter().take_while(|byte| **byte == 0xFF).count();
        match bytes.get(at + filled) {
            Some(0 | 0xD0..=0xD7) => at += filled + 1,
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

#[cfg(test)]
pub(super) mod tests {
    use image::{DynamicImage, Rgb};

    use super::*;

    const SIDE: usize = 64;
    const RED: [u8; 3] = [254, 0, 0];
    const BLUE: [u8; 3] = [0, 0, 254];
    const GREEN: [u8; 3] = [0, 128, 0];
    const GRAY: [u8; 3] = [90, 90, 90];

    /// A picture of four squares, of one colour each, written by hand: each block has nothing but its mean.
    #[derive(Clone)]
    struct Plan {
        progressive: bool,
        /// Of each component its id and its sampling factors.
        components: Vec<(u8, [usize; 2])>,
        /// Which components come in which scan.
        scans: Vec<Vec<usize>>,
        /// What stands before the frame.
        marks: Vec<u8>,
        /// The components' values of a colour.
        of: fn([u8; 3]) -> Vec<u8>,
        restart: usize,
    }

    fn ycc([r, g, b]: [u8; 3]) -> Vec<u8> {
        let [r, g, b] = [r, g, b].map(f64::from);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [y, 128.0 + (b - y) / 1.772, 128.0 + (r - y) / 1.402].map(|value| value.round() as u8).into()
    }

    fn plan(sampling: [[usize; 2]; 3]) -> Plan {
        let components = sampling.into_iter().zip(1..).map(|(factors, id)| (id, factors)).collect();
        let scans = vec![vec![0, 1, 2]];
        Plan { progressive: false, components, scans, marks: vec![], of: ycc, restart: 0 }
    }

    /// One that comes in six scans.
    pub fn progressive() -> Vec<u8> {
        let scans = vec![vec![0], vec![1], vec![2]];
        Plan { progressive: true, scans, ..plan([[2, 2], [1, 1], [1, 1]]) }.file()
    }

    struct Bits(Vec<u8>, u32);

    impl Bits {
        fn put(&mut self, value: usize, count: u32) {
            for at in (0..count).rev() {
                if self.1 == 0 {
                    self.0.push(0);
                }
                self.1 = (self.1 + 7) % 8;
                *self.0.last_mut().unwrap() |= ((value >> at & 1) as u8) << self.1;
                if self.1 == 0 && self.0.last() == Some(&0xFF) {
                    self.0.push(0);
                    self.1 = 0;
                }
            }
        }

        fn fill(&mut self) {
            while self.1 > 0 {
                self.put(1, 1);
            }
        }
    }

    impl Plan {
        fn most(&self, axis: usize) -> usize {
            self.components.iter().map(|(_, factors)| factors[axis]).max().unwrap()
        }

        /// The value of a component in one of its blocks.
        fn value(&self, component: usize, x: usize, y: usize) -> i32 {
            let [width, height] = [0, 1].map(|axis| 8 * self.most(axis) / self.components[component].1[axis]);
            let (right, low) = (x * width >= SIDE / 2, y * height >= SIDE / 2);
            let color = match (right, low) {
                (false, false) => RED,
                (true, false) => BLUE,
                (false, true) => GREEN,
                (true, true) => GRAY,
            };
            i32::from((self.of)(color)[component])
        }

        fn scan(&self, file: &mut Vec<u8>, components: &[usize], means: bool) {
            file.extend([0xFF, 0xDA, 0, 6 + 2 * components.len() as u8, components.len() as u8]);
            for component in components {
                file.extend([self.components[*component].0, 0]);
            }
            file.extend(match (self.progressive, means) {
                (false, _) => [0, 63, 0],
                (true, true) => [0, 0, 0],
                (true, false) => [1, 63, 0],
            });
            let mut bits = Bits(vec![], 0);
            let mut before = vec![0; self.components.len()];
            let alone = components.len() == 1;
            let unit =
                |axis| if alone { self.most(axis) / self.components[components[0]].1[axis] } else { self.most(axis) };
            let [columns, rows] = [0, 1].map(|axis| SIDE.div_ceil(8 * unit(axis)));
            for at in 0..columns * rows {
                if self.restart > 0 && at > 0 && at % self.restart == 0 {
                    bits.fill();
                    bits.0.extend([0xFF, 0xD0 + ((at / self.restart - 1) % 8) as u8]);
                    before.fill(0);
                }
                for &component in components {
                    let [across, down] = if alone { [1, 1] } else { self.components[component].1 };
                    for block in 0..across * down {
                        let (x, y) = (at % columns * across + block % across, at / columns * down + block / across);
                        if means {
                            // The table of 8 stands for the mean.
                            let mean = self.value(component, x, y) - 128;
                            let change: i32 = mean - before[component];
                            before[component] = mean;
                            let size = 32 - change.unsigned_abs().leading_zeros();
                            bits.put(size as usize, 4);
                            bits.put((if change < 0 { change - 1 } else { change }) as usize & ((1 << size) - 1), size);
                        }
                        if !(self.progressive && means) {
                            // Nothing more in this block.
                            bits.put(0, 1);
                        }
                    }
                }
            }
            bits.fill();
            file.extend(bits.0);
        }

        fn file(&self) -> Vec<u8> {
            let mut file = [b"\xFF\xD8", &self.marks[..], b"\xFF\xDB\0\x43\0", &[8; 64]].concat();
            let side = (SIDE as u16).to_be_bytes();
            file.extend([0xFF, if self.progressive { 0xC2 } else { 0xC0 }, 0, 8 + 3 * self.components.len() as u8, 8]);
            file.extend([&side[..], &side, &[self.components.len() as u8]].concat());
            for (id, [across, down]) in &self.components {
                file.extend([*id, (across << 4 | down) as u8, 0]);
            }
            // Sizes of 0 to 11 in codes of four bits; "no more in this block" in one bit.
            file.extend([&b"\xFF\xC4\0\x1F\0\0\0\0\x0C"[..], &[0; 12], &(0..12).collect::<Vec<u8>>()].concat());
            file.extend([&b"\xFF\xC4\0\x14\x10\x01"[..], &[0; 16]].concat());
            if self.restart > 0 {
                file.extend([0xFF, 0xDD, 0, 4, 0, self.restart as u8]);
            }
            for components in &self.scans {
                self.scan(&mut file, components, true);
            }
            if self.progressive {
                for component in 0..self.components.len() {
                    self.scan(&mut file, &[component], false);
                }
            }
            file.extend(b"\xFF\xD9");
            file
        }
    }

    fn read(file: &[u8]) -> Result<DynamicImage, Refusal> {
        Jpeg::read(file).and_then(Jpeg::pixels).map_err(|fault| fault("x"))
    }

    #[track_caller]
    fn assert_shown(file: &[u8], wanted: [[u8; 3]; 4], what: &str) {
        let pixels = read(file).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
        assert_squares(&pixels, wanted, what);
    }

    #[track_caller]
    fn assert_squares(pixels: &DynamicImage, wanted: [[u8; 3]; 4], what: &str) {
        let pixels = pixels.to_rgb8();
        assert_eq!(pixels.dimensions(), (SIDE as u32, SIDE as u32));
        for (x, y, pixel) in pixels.enumerate_pixels() {
            let far = |at: u32| at.abs_diff(SIDE as u32 / 2) > 4;
            let wanted = wanted[usize::from(x >= SIDE as u32 / 2) + 2 * usize::from(y >= SIDE as u32 / 2)];
            if far(x) && far(y) {
                let near = pixel.0.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 4);
                assert!(near, "{what}: {pixel:?} at {x}, {y} is not {wanted:?}");
            }
        }
    }

    const SQUARES: [[u8; 3]; 4] = [RED, BLUE, GREEN, GRAY];

    #[test]
    fn every_sampling_comes_out_right_or_is_refused() {
        let factors = || (1..=4).flat_map(|across| (1..=4).map(move |down| [across, down]));
        let (mut shown, mut refused) = (0, 0);
        let coarse = [[1, 1], [2, 1], [1, 2], [2, 2], [4, 1]];
        let samplings = factors().flat_map(|one| {
            let others = coarse.into_iter().flat_map(move |two| [[1, 1], two, [2, 1]].map(|three| [one, two, three]));
            others.chain([[[1, 1], one, one], [one, one, [1, 1]], [one, [1, 1], one]])
        });
        for sampling in samplings {
            // Blocks in one unit are ten at most.
            if sampling.iter().map(|[across, down]| across * down).sum::<usize>() > 10 {
                continue;
            }
            for progressive in [false, true] {
                for scans in [vec![vec![0, 1, 2]], vec![vec![0], vec![1], vec![2]], vec![vec![0], vec![1, 2]]] {
                    let plan = Plan { progressive, scans, ..plan(sampling) };
                    let file = plan.file();
                    let even = [0, 1].iter().all(|axis| {
                        let most = plan.most(*axis);
                        // Squares of whole blocks, and factors that divide.
                        (SIDE / 2).is_multiple_of(8 * most)
                            && sampling.iter().all(|factors| most.is_multiple_of(factors[*axis]))
                    });
                    match read(&file) {
                        Ok(pixels) if even => {
                            shown += 1;
                            assert_squares(&pixels, SQUARES, &format!("{sampling:?} in {:?}", plan.scans));
                        }
                        Ok(_) => {}
                        Err(refusal) => {
                            refused += 1;
                            assert_eq!(refusal, Refusal::ImageFormat("x"), "{sampling:?}");
                        }
                    }
                }
            }
        }
        println!("{shown} shown, {refused} refused");
        assert!(shown > 300, "{shown} shown, {refused} refused");
    }

    #[test]
    fn colors_are_told_as_libjpeg_tells_them() {
        const JFIF: &[u8] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
        fn adobe(transform: u8) -> Vec<u8> {
            [&b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0"[..], &[transform]].concat()
        }
        fn rgb(color: [u8; 3]) -> Vec<u8> {
            color.into()
        }
        fn gray(_: [u8; 3]) -> Vec<u8> {
            vec![90]
        }
        /// Light, as Adobe writes inks, through half of black.
        fn inks([r, g, b]: [u8; 3]) -> Vec<u8> {
            vec![r, g, b, 128]
        }
        fn ycck([r, g, b]: [u8; 3]) -> Vec<u8> {
            [ycc([255 - r, 255 - g, 255 - b]), vec![128]].concat()
        }
        let half = SQUARES.map(|color| color.map(|light| (u16::from(light) * 128 / 255) as u8));
        let with = |marks: &[u8], ids: &[u8], of: fn([u8; 3]) -> Vec<u8>| Plan {
            components: ids.iter().map(|id| (*id, [1, 1])).collect(),
            scans: vec![(0..ids.len()).collect()],
            marks: marks.to_vec(),
            of,
            ..plan([[1, 1]; 3])
        };
        let both = |transform| [JFIF, &adobe(transform)].concat();
        for (marks, ids, of, wanted) in [
            (vec![], &[1, 2, 3][..], ycc as fn([u8; 3]) -> Vec<u8>, SQUARES),
            (vec![], &[0, 1, 2], ycc, SQUARES),
            (vec![], b"YCc", ycc, SQUARES),
            (vec![], &[1, 34, 35], ycc, SQUARES),
            (vec![], b"RGB", rgb, SQUARES),
            (vec![], b"rgb", ycc, SQUARES),
            (JFIF.to_vec(), &[1, 2, 3], ycc, SQUARES),
            (JFIF.to_vec(), b"RGB", ycc, SQUARES),
            (adobe(0), &[1, 2, 3], rgb, SQUARES),
            (adobe(0), b"RGB", rgb, SQUARES),
            (adobe(1), &[1, 2, 3], ycc, SQUARES),
            (adobe(1), b"RGB", ycc, SQUARES),
            (adobe(2), &[1, 2, 3], ycc, SQUARES),
            (adobe(7), &[1, 2, 3], ycc, SQUARES),
            (both(0), &[1, 2, 3], ycc, SQUARES),
            (both(1), &[1, 2, 3], ycc, SQUARES),
            (b"\xFF\xEE\0\x07Adobe".to_vec(), &[1, 2, 3], ycc, SQUARES),
            (vec![], &[1], gray, [GRAY; 4]),
            (adobe(0), &[7], gray, [GRAY; 4]),
            (both(1), &[1], gray, [GRAY; 4]),
            (vec![], &[1, 2, 3, 4], inks, half),
            (vec![], b"CMYK", inks, half),
            (adobe(0), &[1, 2, 3, 4], inks, half),
            (both(0), &[1, 2, 3, 4], inks, half),
            (adobe(2), &[1, 2, 3, 4], ycck, half),
            (adobe(1), &[1, 2, 3, 4], ycck, half),
        ] {
            for progressive in [false, true] {
                let plan = Plan { progressive, ..with(&marks, ids, of) };
                assert_shown(&plan.file(), wanted, &format!("{marks:?}, {ids:?}"));
            }
        }
        for factors in [[2, 2], [1, 2], [2, 1], [4, 1], [3, 3], [4, 4]] {
            for progressive in [false, true] {
                // One component alone has blocks in their plain order, whatever its factors.
                let plan = Plan { progressive, components: vec![(1, factors)], ..with(&[], &[1], gray) };
                assert_shown(&plan.file(), [GRAY; 4], "gray");
            }
        }
        for ids in [&[1, 2][..], &[1, 2, 3, 4, 5]] {
            let two = with(&[], ids, |_| vec![90; 5]).file();
            assert_eq!(read(&two).unwrap_err(), Refusal::ImageFormat("x"), "{ids:?}");
        }
    }

    #[test]
    fn what_no_browser_shows_is_refused_as_that() {
        let file = plan([[2, 2], [1, 1], [1, 1]]).file();
        let frame = file.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        for mark in [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF] {
            let mut other = file.clone();
            other[frame + 1] = mark;
            assert_eq!(read(&other).unwrap_err(), Refusal::ImageFormat("x"), "{mark:#X}");
        }
        for (at, value) in [(4, 12), (4, 16), (6, 0), (8, 0)] {
            let mut other = file.clone();
            other[frame + at] = value;
            assert_eq!(read(&other).unwrap_err(), Refusal::ImageFormat("x"), "{at}: {value}");
        }
        let arithmetic = [&file[..frame], b"\xFF\xCC\0\x04\0\x10", &file[frame..]].concat();
        assert_eq!(read(&arithmetic).unwrap_err(), Refusal::ImageFormat("x"));
        assert_eq!(read(&file[..2]).unwrap_err(), Refusal::ImageCutOff("x"));
    }

    #[test]
    fn what_stands_between_segments_is_passed_over_and_a_missing_end_is_none() {
        let exif = [&b"\xFF\xE1\0\x10"[..], b"Exif\0\0II\x2A\0\x08\0\0\0"].concat();
        for progressive in [false, true] {
            for scans in [vec![vec![0, 1, 2]], vec![vec![0], vec![1], vec![2]]] {
                for restart in [0, 1, 3] {
                    let plan = Plan { progressive, scans: scans.clone(), restart, ..plan([[2, 2], [1, 1], [1, 1]]) };
                    let file = plan.file();
                    let tables = file.windows(2).position(|pair| pair == [0xFF, 0xC4]).unwrap();
                    let into = |more: &[u8]| [&file[..tables], more, &file[tables..]].concat();
                    for shown in [
                        file.clone(),
                        into(&exif),
                        into(b"\xFF\xFF\xFF"),
                        into(b"junk\0\0"),
                        into(b"\xFF\x00\xFF\x01"),
                        into(b"\xFF\xFE\0\x06text"),
                        into(b"\xFF\xE0\0\x04x\xFF\xEE\0\x03x\xFF\xE2\0\x02"),
                        file[..file.len() - 1].to_vec(),
                        file[..file.len() - 2].to_vec(),
                        [&file[..file.len() - 2], b"\0\0\0\0"].concat(),
                        [&file[..file.len() - 2], b"\xFF\xD7\xFF\xD9"].concat(),
                        [&file[..file.len() - 2], b"\xFF\xFF\xFF\xD9"].concat(),
                        [&file[..file.len() - 2], b"\0\0\0\0\xFF\xD9"].concat(),
                        [&file[..], &file].concat(),
                    ] {
                        assert_shown(&shown, SQUARES, &format!("{:?}, {restart}", plan.scans));
                    }
                    // Before the last bytes something is missing, whether an end was put there or not.
                    let scan = file.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
                    let mut seen = 0;
                    for cut in scan..file.len() - 4 {
                        for end in [&b""[..], b"\xFF\xD9"] {
                            let cut = [&file[..cut], end].concat();
                            match read(&cut) {
                                Err(refusal) => assert_eq!(refusal, Refusal::ImageCutOff("x")),
                                // A progressive file may have all that can be seen, and somebody who says so.
                                Ok(_) if progressive && !end.is_empty() => seen += 1,
                                Ok(_) => panic!("{progressive}, {scans:?}: {} of {}", cut.len(), file.len()),
                            }
                        }
                    }
                    assert!(seen < file.len(), "{seen}");
                }
            }
        }
    }

    /// The decoder that `image` brings, where that one is right.
    #[test]
    fn two_decoders_show_the_same() {
        let mut number = 1_u64;
        let mut random = || {
            number = number.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (number >> 56) as u8
        };
        for (width, height) in [(64, 64), (65, 33), (17, 90), (1, 1), (8, 130)] {
            for quality in [10, 75, 100] {
                let mut last = [0; 3];
                let pixels = RgbImage::from_fn(width, height, |_, _| {
                    last = last.map(|value: u8| value.wrapping_add(random() % 8));
                    Rgb(last)
                });
                let mut file = vec![];
                let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, quality);
                pixels.write_with_encoder(encoder).unwrap();
                let (ours, theirs) =
                    (read(&file).unwrap().to_rgb8(), image::load_from_memory(&file).unwrap().to_rgb8());
                let far = ours.iter().zip(theirs.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
                assert!(far <= ours.len() as u64, "{far} in {}", ours.len());
            }
        }
    }
}
