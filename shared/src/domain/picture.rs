//! Uploaded pictures: checked by content, turned upright and made into small clean files. All of it is pure and
//! blocking: a picture of [`MAX_PIXELS`] takes about a second.
//!
//! What every viewer shows is taken, shown as viewers do; a picture that would come out ruined is refused.

use std::io::Cursor;
use std::panic::catch_unwind;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, Rgba};

use crate::domain::{MediaKind, Refusal};

mod chunks;
mod exif;
mod jpeg;

/// The longer side of a small avatar, in pixels.
pub const AVATAR: u32 = 160;
/// The longer side of a large avatar, in pixels.
pub const LARGE_AVATAR: u32 = 640;
/// The longer side of a picture in a gallery, in pixels.
pub const GALLERY: u32 = 2048;
/// The largest upload, in bytes (4 MiB).
pub const MAX_BYTES: usize = 4 << 20;
/// The most pixels an upload may claim to have; nothing larger is ever allocated.
pub const MAX_PIXELS: u64 = 40_000_000;
/// The shortest side of an upload, in pixels.
pub const MIN_SIDE: u32 = 64;
/// The longest side of a rendition, in pixels: the most that a JPEG can say.
pub const MAX_RENDITION: u32 = u16::MAX as u32;

/// Of 100. Above this files grow faster than anybody can see.
const JPEG_QUALITY: u8 = 85;
/// What a header may allocate, in bytes: rows and profiles, packed ones included.
const HEADER_ALLOC: u64 = 32 << 20;
/// What the pixels may allocate, in bytes: 16 bits for each of red, green, blue and alpha.
const PIXEL_ALLOC: u64 = 8 * MAX_PIXELS;

/// A decoded upload.
pub struct Picture {
    /// As stored, not yet turned: that is far cheaper once it is small.
    pixels: DynamicImage,
    orientation: Orientation,
    /// Not merely an alpha channel: some pixel really shows what is behind it.
    transparent: bool,
    /// Becomes PNG even so.
    stays_png: bool,
}

/// What an upload must be like, beside its pixels' number.
struct Rules {
    most_bytes: usize,
    shortest_side: u32,
}

/// Why a file is no picture: the refusal, but for the field to blame.
type Fault = fn(&'static str) -> Refusal;

/// A file made from a [`Picture`]: upright, without any metadata of the upload.
#[derive(Clone, Debug)]
pub struct Rendition {
    pub bytes: Vec<u8>,
    pub format: Format,
}

/// The file formats of a [`Rendition`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    Jpeg,
    Png,
}

impl Format {
    /// Of a file name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

impl Rules {
    fn check(&self, width: u32, height: u32) -> Result<(), Fault> {
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(Refusal::ImageTooLarge);
        }
        if width.min(height) < self.shortest_side {
            return Err(Refusal::ImageTooSmall);
        }
        Ok(())
    }

    /// By default no side is too long and the header of a PNG may unpack half a gigabyte.
    fn header_limits(&self) -> Limits {
        let longest = u32::try_from(MAX_PIXELS).ok().map(|pixels| pixels / self.shortest_side);
        let mut limits = Limits::no_limits();
        (limits.max_image_width, limits.max_image_height) = (longest, longest);
        limits.max_alloc = Some(HEADER_ALLOC);
        limits
    }

    fn pixels(&self, mut decoder: impl ImageDecoder) -> Result<DynamicImage, Fault> {
        let (width, height) = decoder.dimensions();
        self.check(width, height)?;
        let mut limits = self.header_limits();
        limits.max_alloc = Some(PIXEL_ALLOC);
        limits.reserve(decoder.total_bytes()).map_err(fault)?;
        decoder.set_limits(limits).map_err(fault)?;
        DynamicImage::from_decoder(decoder).map_err(fault)
    }
}

/// Why a decoder gave up on a file that begins as its format does.
fn fault(error: ImageError) -> Fault {
    match error {
        ImageError::Limits(_) => Refusal::ImageTooLarge,
        ImageError::Unsupported(_) => Refusal::ImageFormat,
        _ => Refusal::ImageCutOff,
    }
}

impl Picture {
    /// Decodes a JPEG, PNG, WebP or GIF file, recognized by its content; of an animation the first frame. `field` is
    /// the name that a refusal blames.
    ///
    /// # Errors
    /// - [`Refusal::ImageTooLarge`]: over [`MAX_BYTES`] or [`MAX_PIXELS`]. The header decides, before any pixel.
    /// - [`Refusal::ImageTooSmall`]: a side is under [`MIN_SIDE`].
    /// - [`Refusal::ImageCutOff`]: something of the picture is missing or broken.
    /// - [`Refusal::ImageFormat`]: anything else.
    pub fn open(bytes: &[u8], field: &'static str) -> Result<Self, Refusal> {
        Self::keeping(Rules { most_bytes: MAX_BYTES, shortest_side: MIN_SIDE }, bytes, field)
    }

    /// The same for what was uploaded past us: it may have ten MiB, and sides of any length. What was PNG stays PNG.
    pub fn open_upload(bytes: &[u8], field: &'static str) -> Result<Self, Refusal> {
        let picture =
            Self::keeping(Rules { most_bytes: MediaKind::Png.most_bytes() as usize, shortest_side: 1 }, bytes, field)?;
        Ok(Self { stays_png: image::guess_format(bytes).ok() == Some(ImageFormat::Png), ..picture })
    }

    fn keeping(rules: Rules, bytes: &[u8], field: &'static str) -> Result<Self, Refusal> {
        if bytes.len() > rules.most_bytes {
            return Err(Refusal::ImageTooLarge(field));
        }
        // Decoders are large and read hostile input: a panic in one of them is one more way to say no.
        let decoded = catch_unwind(|| Self::decode(&rules, bytes)).unwrap_or(Err(Refusal::ImageCutOff));
        decoded.map_err(|fault| fault(field))
    }

    fn decode(rules: &Rules, bytes: &[u8]) -> Result<Self, Fault> {
        let (exif, pixels) = match image::guess_format(bytes).map_err(|_| Refusal::ImageFormat as Fault)? {
            ImageFormat::Jpeg => {
                let jpeg = jpeg::Jpeg::read(bytes)?;
                rules.check(jpeg.width, jpeg.height)?;
                (jpeg.exif, jpeg.pixels()?)
            }
            ImageFormat::Png => {
                let png = chunks::png(bytes);
                let decoder = PngDecoder::with_limits(Cursor::new(&png.file), rules.header_limits());
                (png.exif, rules.pixels(decoder.map_err(fault)?)?)
            }
            ImageFormat::WebP => {
                let webp = chunks::webp(bytes)?;
                let decoder = WebPDecoder::new(Cursor::new(&webp.file));
                (webp.exif, rules.pixels(decoder.map_err(fault)?)?)
            }
            ImageFormat::Gif => (None, rules.pixels(GifDecoder::new(Cursor::new(bytes)).map_err(fault)?)?),
            _ => return Err(Refusal::ImageFormat),
        };
        // Without a readable orientation it is upright. The colour profile is dropped: next to nothing but phones'
        // Display P3 would look any different, and a profile can carry as much as other metadata.
        let orientation = exif.and_then(exif::orientation).unwrap_or(Orientation::NoTransforms);
        let transparent = has_transparent_pixel(&pixels);
        Ok(Self { pixels, orientation, transparent, stays_png: false })
    }

    /// Makes a file for each of `sides`, largest first, scaled down so that the longer side is at most that many
    /// pixels (at most [`MAX_RENDITION`]) and no side vanishes; never scaled up. Each is made from the one before, so
    /// that only the first costs the reading of all pixels.
    ///
    /// A transparent picture becomes PNG, any other JPEG, whatever it was; one of [`Picture::open_upload`] may stay PNG.
    pub fn fit<const N: usize>(mut self, sides: [u32; N]) -> [Rendition; N] {
        debug_assert!(sides.is_sorted_by(|a, b| a >= b), "largest first");
        sides.map(|side| {
            self.shrink(side.clamp(1, MAX_RENDITION));
            self.encode()
        })
    }

    /// Scales down to `side`, then turns upright.
    fn shrink(&mut self, side: u32) {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let longer = width.max(height);
        if longer > side {
            let scaled = |length| (f64::from(length) * f64::from(side) / f64::from(longer)).round().max(1.0) as u32;
            // Each pixel is the mean of those it stands for. What is behind transparent ones must not shine through,
            // so colours are weighed by alpha meanwhile.
            if self.transparent {
                let mut pixels = std::mem::take(&mut self.pixels).into_rgba8();
                let weigh = |colour: u8, a: u8| (u16::from(colour) * u16::from(a) / 255) as u8;
                for [r, g, b, a] in pixels.as_chunks_mut::<4>().0.iter_mut().filter(|[.., a]| *a < u8::MAX) {
                    (*r, *g, *b) = (weigh(*r, *a), weigh(*g, *a), weigh(*b, *a));
                }
                self.pixels = pixels.into();
            }
            let mut small = self.pixels.thumbnail_exact(scaled(width), scaled(height));
            if let (true, Some(pixels)) = (self.transparent, small.as_mut_rgba8()) {
                for Rgba([r, g, b, a]) in pixels.pixels_mut() {
                    for colour in [r, g, b] {
                        *colour = (u16::from(*colour) * 255 / u16::from(*a).max(1)).min(255) as u8;
                    }
                }
            }
            self.pixels = small;
        }
        self.pixels.apply_orientation(std::mem::replace(&mut self.orientation, Orientation::NoTransforms));
    }

    fn encode(&self) -> Rendition {
        let pixels = match (self.transparent, self.pixels.color().has_color()) {
            (true, true) => DynamicImage::from(self.pixels.to_rgba8()),
            (true, false) => self.pixels.to_luma_alpha8().into(),
            (false, true) => self.pixels.to_rgb8().into(),
            (false, false) => self.pixels.to_luma8().into(),
        };
        let mut bytes = Vec::new();
        let (format, written) = if self.transparent || self.stays_png {
            (Format::Png, pixels.write_with_encoder(PngEncoder::new(&mut bytes)))
        } else {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
            (Format::Jpeg, pixels.write_with_encoder(encoder))
        };
        written.expect("8-bit pixels of a legal size fit the format, and memory takes them");
        Rendition { bytes, format }
    }
}

fn has_transparent_pixel(pixels: &DynamicImage) -> bool {
    let color = pixels.color();
    let size = usize::from(color.bytes_per_pixel());
    let alpha = size - size / usize::from(color.channel_count());
    color.has_alpha()
        && pixels.as_bytes().chunks_exact(size).any(|pixel| pixel[alpha..].iter().any(|byte| *byte != 255))
}

#[cfg(test)]
mod tests {
    use image::codecs::gif::GifEncoder;
    use image::codecs::webp::WebPEncoder;
    use image::{
        Frame, GrayAlphaImage, GrayImage, ImageBuffer, ImageEncoder, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage,
    };

    use super::*;
    use crate::domain::media::damage::{self, Lcg};

    const RED: Rgb<u8> = Rgb([220, 20, 20]);
    const BLUE: Rgb<u8> = Rgb([20, 20, 220]);
    const FORMATS: [ImageFormat; 4] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif];

    fn file(pixels: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        pixels.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Red on the left, blue on the right.
    fn red_blue(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE })
    }

    fn noise(width: u32, height: u32) -> RgbImage {
        let mut random = Lcg(1);
        RgbImage::from_fn(width, height, |_, _| Rgb([(); 3].map(|()| random.next(256) as u8)))
    }

    fn refused(bytes: &[u8]) -> Option<Refusal> {
        Picture::open(bytes, "avatar").err()
    }

    fn fit<const N: usize>(bytes: &[u8], sides: [u32; N]) -> [Rendition; N] {
        Picture::open(bytes, "avatar").unwrap_or_else(|refusal| panic!("{refusal}")).fit(sides)
    }

    /// Of a file that is what its format says.
    fn pixels(file: &Rendition) -> DynamicImage {
        let format = match file.format {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
        };
        image::load_from_memory_with_format(&file.bytes, format).unwrap()
    }

    fn size(file: &Rendition) -> (u32, u32) {
        let pixels = pixels(file);
        (pixels.width(), pixels.height())
    }

    #[track_caller]
    fn assert_color(pixels: &DynamicImage, (x, y): (u32, u32), wanted: Rgb<u8>) {
        let pixel = *pixels.to_rgb8().get_pixel(x, y);
        let near = pixel.0.iter().zip(wanted.0).all(|(a, b)| a.abs_diff(b) < 12);
        assert!(near, "{pixel:?} at {x}, {y} is not {wanted:?}");
    }

    fn contains(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    const SECRET: &[u8] = b"31.2304N 121.4737E\0\0";

    /// A TIFF block: orientation 6 and a GPS folder whose map datum is [`SECRET`].
    fn exif() -> Vec<u8> {
        let mut exif = b"MM\0\x2A\0\0\0\x08".to_vec();
        exif.extend(b"\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0");
        exif.extend(b"\0\x01\0\x12\0\x02\0\0\0\x14\0\0\0\x38\0\0\0\0");
        exif.extend(SECRET);
        exif
    }

    /// Behind the mark that starts the file.
    fn insert_app1(jpeg: &mut Vec<u8>, content: &[u8]) {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        jpeg.splice(2..2, [&[0xFF, 0xE1], &length[..], content].concat());
    }

    #[test]
    fn takes_all_four_formats() {
        for format in FORMATS {
            let [large, small] = fit(&file(red_blue(800, 600), format), [LARGE_AVATAR, AVATAR]);
            assert_eq!((size(&large), size(&small)), ((640, 480), (160, 120)), "{format:?}");
            for rendition in [large, small] {
                let (width, height) = size(&rendition);
                assert_eq!(rendition.format, Format::Jpeg);
                assert_color(&pixels(&rendition), (width / 4, height / 2), RED);
                assert_color(&pixels(&rendition), (width * 3 / 4, height / 2), BLUE);
            }
        }
    }

    #[test]
    fn names_its_formats() {
        assert_eq!((Format::Jpeg.extension(), Format::Jpeg.content_type()), ("jpeg", "image/jpeg"));
        assert_eq!((Format::Png.extension(), Format::Png.content_type()), ("png", "image/png"));
    }

    #[test]
    fn turns_upright_and_forgets_where_it_was_taken() {
        let picture = red_blue(192, 128);
        let mut jpeg = file(picture.clone(), ImageFormat::Jpeg);
        insert_app1(&mut jpeg, &[b"Exif\0\0", &exif()[..]].concat());
        let (mut png, mut webp) = (Vec::new(), Vec::new());
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_exif_metadata(exif()).unwrap();
        picture.write_with_encoder(encoder).unwrap();
        let mut encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(exif()).unwrap();
        picture.write_with_encoder(encoder).unwrap();

        for upload in [jpeg, png, webp] {
            assert!(contains(&upload, SECRET));
            // One as large as the upload, one smaller, one made from that.
            for (rendition, wanted) in fit(&upload, [200, 96, 48]).iter().zip([(128, 192), (64, 96), (32, 48)]) {
                assert_eq!(size(rendition), wanted);
                let (width, height) = wanted;
                assert_color(&pixels(rendition), (width / 2, height / 4), RED);
                assert_color(&pixels(rendition), (width / 2, height * 3 / 4), BLUE);
                for part in [b"Exif", b"eXIf", SECRET] {
                    assert!(!contains(&rendition.bytes, part));
                }
            }
        }
    }

    #[test]
    fn refuses_by_size_in_bytes_first() {
        let mut jpeg = file(red_blue(64, 64), ImageFormat::Jpeg);
        jpeg.resize(MAX_BYTES, 0);
        assert_eq!(refused(&jpeg), None);
        jpeg.push(0);
        assert_eq!(refused(&jpeg), Some(Refusal::ImageTooLarge("avatar")));
        assert_eq!(refused(&vec![0; MAX_BYTES]), Some(Refusal::ImageFormat("avatar")));
        assert_eq!(refused(&vec![0; MAX_BYTES + 1]), Some(Refusal::ImageTooLarge("avatar")));
    }

    fn jpeg_that_claims(width: u16, height: u16) -> Vec<u8> {
        let mut jpeg = file(red_blue(64, 64), ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        jpeg
    }

    fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
        let mut png = file(red_blue(64, 64), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        mend_checksums(&mut png);
        png
    }

    fn mend_checksums(png: &mut [u8]) {
        let mut chunks = &mut png[8..];
        while let Some((size, rest)) = chunks.split_first_chunk_mut::<4>() {
            let Some((body, rest)) = rest.split_at_mut_checked(4 + u32::from_be_bytes(*size) as usize) else {
                return;
            };
            let Some((checksum, rest)) = rest.split_first_chunk_mut::<4>() else {
                return;
            };
            let crc = body.iter().fold(u32::MAX, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
            });
            *checksum = (!crc).to_be_bytes();
            chunks = rest;
        }
    }

    #[test]
    fn refuses_bombs_by_their_header() {
        let mut gif = file(red_blue(64, 64), ImageFormat::Gif);
        gif[6..10].fill(0xFF);
        let mut webp = file(red_blue(64, 64), ImageFormat::WebP);
        webp[21..25].copy_from_slice(&(16382_u32 | 16382 << 14).to_le_bytes());
        let mut jpeg = jpeg_that_claims(64250, 64250);
        insert_app1(&mut jpeg, &[0; 4000]);
        for bomb in [
            jpeg,
            jpeg_that_claims(8001, 5000),
            png_that_claims(64250, 64250),
            png_that_claims(64, u32::MAX >> 1),
            png_that_claims(u32::MAX >> 1, u32::MAX >> 1),
            png_that_claims(8000, 5001),
            gif,
            webp,
        ] {
            assert_eq!(refused(&bomb), Some(Refusal::ImageTooLarge("avatar")), "{:?}", &bomb[..16]);
        }
        assert_eq!(png_that_claims(64, 64), file(red_blue(64, 64), ImageFormat::Png));
        // Exactly the limit: what is wrong is that there are not so many pixels.
        assert_eq!(refused(&png_that_claims(8000, 5000)), Some(Refusal::ImageCutOff("avatar")));
    }

    #[test]
    fn refuses_a_frame_larger_than_its_canvas() {
        let mut gif = file(red_blue(64, 64), ImageFormat::Gif);
        let frame = gif.windows(9).position(|part| part == [0x2C, 0, 0, 0, 0, 64, 0, 64, 0]).unwrap();
        gif[frame + 5..frame + 9].fill(0xFF);
        assert_eq!(refused(&gif), Some(Refusal::ImageTooLarge("avatar")));
    }

    #[test]
    fn refuses_what_is_cut_off() {
        for format in FORMATS {
            let mut whole = file(noise(90, 70), format);
            if format == ImageFormat::Jpeg {
                // As in a phone's picture: its thumbnail has an end of its own.
                insert_app1(&mut whole, &file(red_blue(16, 16), format));
            }
            assert_eq!(refused(&whole), None, "{format:?}");
            for length in (0..50).map(|part| whole.len() * part / 50) {
                let wanted = match length {
                    // Nothing tells what it was.
                    0 => Refusal::ImageFormat("avatar"),
                    _ => Refusal::ImageCutOff("avatar"),
                };
                assert_eq!(refused(&whole[..length]), Some(wanted), "{format:?}, {length} of {}", whole.len());
                // Nor does an end that somebody has put there make it whole.
                let end: &[u8] = match format {
                    ImageFormat::Jpeg => b"\xFF\xD9",
                    ImageFormat::Png => b"\0\0\0\0IEND\xAE\x42\x60\x82",
                    ImageFormat::Gif => b"\0;",
                    _ => b"",
                };
                assert!(refused(&[&whole[..length], end].concat()).is_some(), "{format:?}, {length} and an end");
            }
        }
        let webp = file(noise(90, 70), ImageFormat::WebP);
        assert_eq!(refused(&webp[..webp.len() - 2]), Some(Refusal::ImageCutOff("avatar")));
    }

    #[test]
    fn a_missing_end_and_whatever_is_behind_are_passed_over() {
        let ends = [(ImageFormat::Jpeg, 2), (ImageFormat::Png, 12), (ImageFormat::Gif, 1), (ImageFormat::WebP, 0)];
        for (format, end) in ends {
            let whole = file(noise(90, 70), format);
            let wanted = fit(&whole, [90])[0].bytes.clone();
            let zeros = [0; 3000];
            for behind in [
                &b""[..],
                b"\n",
                b"\0\0\0\0",
                b"\0",
                &zeros,
                b"It was a dark and stormy night.",
                b"\0\0\0\x18ftypmp42\xFF\xDA a moving picture",
                b"\xFF\xD8\xFF\xE1\0\x08\xFF\xD9",
                &whole,
                &whole[..whole.len() / 2],
            ] {
                let upload = [&whole[..], behind].concat();
                assert_eq!(fit(&upload, [90])[0].bytes, wanted, "{format:?} and {behind:?}");
            }
            let endless = &whole[..whole.len() - end];
            assert_eq!(fit(endless, [90])[0].bytes, wanted, "{format:?} without its end");
            for part in 1..end {
                assert_eq!(fit(&whole[..whole.len() - part], [90])[0].bytes, wanted, "{format:?}, a part of its end");
            }
            if format != ImageFormat::WebP {
                assert_eq!(fit(&[endless, &zeros].concat(), [90])[0].bytes, wanted, "{format:?}: zeros for an end");
            }
        }
    }

    #[test]
    fn refuses_a_side_under_64() {
        for format in FORMATS {
            for (width, height) in [(63, 64), (64, 63), (1, 1)] {
                let refused = refused(&file(red_blue(width, height), format));
                assert_eq!(refused, Some(Refusal::ImageTooSmall("avatar")), "{format:?}");
            }
            assert_eq!(refused(&file(red_blue(64, 64), format)), None, "{format:?}");
        }
    }

    fn open_upload(bytes: &[u8]) -> Result<Rendition, Refusal> {
        Picture::open_upload(bytes, "upload").map(|picture| picture.fit([GALLERY])).map(|[rendition]| rendition)
    }

    #[test]
    fn uploads_keep_their_format_and_may_be_small() {
        for format in FORMATS {
            let rendition = open_upload(&file(red_blue(3, 1), format)).unwrap();
            let wanted = if format == ImageFormat::Png { Format::Png } else { Format::Jpeg };
            assert_eq!((rendition.format, size(&rendition)), (wanted, (3, 1)));
        }
        let long = open_upload(&file(GrayImage::new(100_000, 1), ImageFormat::Png)).unwrap();
        assert_eq!(size(&long), (GALLERY, 1));
        let clear = file(RgbaImage::new(70, 70), ImageFormat::Gif);
        assert_eq!(open_upload(&clear).unwrap().format, Format::Png);
    }

    #[test]
    fn media_may_be_ten_mebibytes() {
        let mut jpeg = file(red_blue(64, 64), ImageFormat::Jpeg);
        jpeg.resize(10 << 20, 0);
        assert!(open_upload(&jpeg).is_ok());
        jpeg.push(0);
        assert_eq!(open_upload(&jpeg).err(), Some(Refusal::ImageTooLarge("upload")));
        let claims = png_that_claims(40_000_001, 1);
        assert_eq!(open_upload(&claims).err(), Some(Refusal::ImageTooLarge("upload")));
    }

    #[test]
    fn refuses_what_is_no_picture() {
        let png = file(red_blue(64, 64), ImageFormat::Png);
        for bytes in [
            &b""[..],
            b"picture.png",
            b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"\0\0\0\x18ftypheic",
            b"II\x2A\0\x08\0\0\0",
        ] {
            assert_eq!(refused(bytes), Some(Refusal::ImageFormat("avatar")), "{bytes:?}");
        }
        for bytes in [
            &[b"\xFF\xD8\xFF", &png[..]].concat()[..],
            &[b"\xFF\xD8\xFF\xE0", &png[4..]].concat(),
            &[b"GIF89a\x40\0\x40\0\0\0\0", &png[..]].concat(),
            &[b"RIFF\0\0\0\0WEBP", &png[..]].concat(),
            &[&png[..8], &file(red_blue(64, 64), ImageFormat::Jpeg)].concat(),
        ] {
            assert_eq!(refused(bytes), Some(Refusal::ImageCutOff("avatar")), "{bytes:?}");
        }
    }

    #[test]
    fn keeps_transparency_and_the_colours_beside_it() {
        // What cannot be seen is black: scaling must not draw it into the edge.
        fn half<T>(x: u32, white: T, none: T) -> T {
            if x < 151 { white } else { none }
        }
        let color = RgbaImage::from_fn(300, 200, |x, _| half(x, Rgba([255; 4]), Rgba([0; 4])));
        let gray = GrayAlphaImage::from_fn(300, 200, |x, _| half(x, LumaA([255; 2]), LumaA([0; 2])));
        let deep = ImageBuffer::from_fn(300, 200, |x, _| half(x, Rgba([u16::MAX; 4]), Rgba([0; 4])));
        for upload in [
            file(color.clone(), ImageFormat::Png),
            file(color.clone(), ImageFormat::WebP),
            file(color, ImageFormat::Gif),
            file(gray, ImageFormat::Png),
            file(DynamicImage::ImageRgba16(deep), ImageFormat::Png),
        ] {
            for (rendition, wanted) in fit(&upload, [400, 160, 40]).iter().zip([(300, 200), (160, 107), (40, 27)]) {
                assert_eq!((rendition.format, size(rendition)), (Format::Png, wanted));
                let pixels = pixels(rendition);
                assert_eq!(pixels.color().bytes_per_pixel(), pixels.color().channel_count(), "8 bits each");
                let pixels = pixels.to_rgba8();
                assert_eq!((pixels.get_pixel(0, 0).0, pixels.get_pixel(wanted.0 - 1, 0).0[3]), ([255; 4], 0));
                for pixel in pixels.pixels().filter(|pixel| pixel.0[3] > 8) {
                    assert!(pixel.0[0] > 240, "{pixel:?}");
                }
            }
        }
    }

    #[test]
    fn one_transparent_pixel_is_enough() {
        let mut pixels = DynamicImage::from(noise(100, 80)).to_rgba8();
        assert_eq!(fit(&file(pixels.clone(), ImageFormat::Png), [90])[0].format, Format::Jpeg);
        pixels.get_pixel_mut(99, 79).0[3] = 254;
        assert_eq!(fit(&file(pixels, ImageFormat::Png), [90])[0].format, Format::Png);
    }

    #[test]
    fn takes_gray_and_deep_pixels() {
        let gray = GrayImage::from_pixel(300, 200, Luma([90]));
        let deep = ImageBuffer::from_pixel(300, 200, Rgb([0x5A5A_u16; 3]));
        let deep_gray = ImageBuffer::from_pixel(300, 200, Luma([0x5A5A_u16]));
        for upload in [
            file(gray.clone(), ImageFormat::Jpeg),
            file(gray, ImageFormat::Png),
            file(DynamicImage::ImageRgb16(deep), ImageFormat::Png),
            file(DynamicImage::ImageLuma16(deep_gray), ImageFormat::Png),
        ] {
            let [rendition] = fit(&upload, [150]);
            assert_eq!((rendition.format, size(&rendition)), (Format::Jpeg, (150, 100)));
            assert_color(&pixels(&rendition), (75, 50), Rgb([90; 3]));
        }
    }

    #[test]
    fn takes_cmyk() {
        let mut jpeg = b"\xFF\xD8\xFF\xDB\0\x43\0".to_vec();
        jpeg.extend([1; 64]);
        // 64 x 64, four components; then Huffman tables whose one code, a zero bit, is "no change" and "no more".
        jpeg.extend(b"\xFF\xC0\0\x14\x08\0\x40\0\x40\x04\x01\x11\0\x02\x11\0\x03\x11\0\x04\x11\0");
        for table in [0x00, 0x10] {
            jpeg.extend([0xFF, 0xC4, 0, 20, table, 1]);
            jpeg.extend([0; 16]);
        }
        jpeg.extend(b"\xFF\xDA\0\x0E\x04\x01\0\x02\0\x03\0\x04\0\0\x3F\0");
        jpeg.extend([0; 64]);
        jpeg.extend(b"\xFF\xD9");
        // Every ink and black at half: a quarter of the light.
        assert_color(&pixels(&fit(&jpeg, [64])[0]), (32, 32), Rgb([64; 3]));
    }

    #[test]
    fn shows_the_first_frame() {
        let mut gif = Vec::new();
        let frame = |color| Frame::new(DynamicImage::from(RgbImage::from_pixel(80, 80, color)).to_rgba8());
        GifEncoder::new(&mut gif).encode_frames([frame(RED), frame(BLUE)]).unwrap();
        assert_color(&pixels(&fit(&gif, [80])[0]), (40, 40), RED);
    }

    #[test]
    fn never_scales_up_and_keeps_a_pixel() {
        for (width, height, wanted) in [(100, 80, (100, 80)), (160, 160, (160, 160)), (161, 64, (160, 64))] {
            let [large, small] = fit(&file(red_blue(width, height), ImageFormat::Png), [LARGE_AVATAR, AVATAR]);
            assert_eq!((size(&large), size(&small)), ((width, height), wanted));
        }
        let [large, small] = fit(&file(GrayImage::new(64, 50_000), ImageFormat::Png), [LARGE_AVATAR, AVATAR]);
        assert_eq!((size(&large), size(&small)), ((1, 640), (1, 160)));
        let [huge] = fit(&file(GrayImage::new(66_000, 64), ImageFormat::Png), [u32::MAX]);
        assert_eq!(size(&huge), (65_535, 64));
    }

    #[test]
    fn survives_damage() {
        let noisy = noise(72, 64);
        let mut files: Vec<_> = FORMATS.map(|format| (format!("{format:?}"), file(noisy.clone(), format))).into();
        let clear = RgbaImage::from_fn(72, 64, |x, y| Rgba([x as u8, y as u8, 90, (x * y) as u8]));
        files.push(("clear WebP".into(), file(clear.clone(), ImageFormat::WebP)));
        files.push(("clear PNG".into(), file(clear, ImageFormat::Png)));
        files.push(("turned JPEG".into(), {
            let mut jpeg = file(red_blue(72, 64), ImageFormat::Jpeg);
            insert_app1(&mut jpeg, &[b"Exif\0\0", &exif()[..]].concat());
            jpeg
        }));
        files.push(("progressive JPEG".into(), jpeg::tests::progressive()));
        for (name, whole) in files {
            damage::survives(&name, &whole, |mut damaged| {
                if name.to_lowercase().contains("png") && damaged.len() > 8 {
                    mend_checksums(&mut damaged);
                }
                match Picture::open(&damaged, "avatar") {
                    Ok(picture) => {
                        let (width, height) = size(&picture.fit([AVATAR])[0]);
                        width.max(height) <= AVATAR
                    }
                    Err(_) => false,
                }
            });
        }
    }

    fn chunked(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [name, &(body.len() as u32).to_le_bytes()[..], body, &[0][..body.len() % 2]].concat()
    }

    /// A WebP of these chunks; the other's first 12 bytes are its file's header.
    fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
        let chunks = chunks.concat();
        [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &chunks].concat()
    }

    /// With these flags, and a canvas of 80 by 70.
    fn extended(flags: u8) -> Vec<u8> {
        chunked(b"VP8X", &[flags, 0, 0, 0, 79, 0, 0, 69, 0, 0])
    }

    #[test]
    fn webp_headers_may_promise_what_is_not_there() {
        let opaque = file(noise(80, 70), ImageFormat::WebP)[12..].to_vec();
        let clear = RgbaImage::from_fn(80, 70, |x, _| Rgba([200, 0, 0, if x < 40 { 255 } else { 0 }]));
        let clear = file(clear, ImageFormat::WebP)[12..].to_vec();
        for flags in 0..=0x3F {
            for (picture, format) in [(&opaque, Format::Jpeg), (&clear, Format::Png)] {
                for upload in [
                    webp(&[extended(flags), picture.clone()]),
                    webp(&[extended(flags), chunked(b"ICCP", b"junk"), picture.clone(), chunked(b"XMP ", b"odd")]),
                    webp(&[extended(flags), picture.clone(), b"EXIF\xFF\xFF\xFF\xFF".to_vec()]),
                ] {
                    let [rendition] = fit(&upload, [80]);
                    assert_eq!((rendition.format, size(&rendition)), (format, (80, 70)), "{flags:#X}");
                }
            }
        }
        let whole = webp(std::slice::from_ref(&opaque));
        let wanted = fit(&whole, [80])[0].bytes.clone();
        for claimed in [0, 1, 20, u32::MAX, 0x7FFF_FFFF] {
            let mut upload = whole.clone();
            upload[4..8].copy_from_slice(&claimed.to_le_bytes());
            assert_eq!(fit(&upload, [80])[0].bytes, wanted, "{claimed}");
        }
        for upload in [webp(&[extended(0x2C)]), webp(&[]), webp(&[extended(2), chunked(b"ANIM", &[0; 6])])] {
            assert_eq!(refused(&upload), Some(Refusal::ImageCutOff("avatar")));
        }
    }

    #[test]
    fn of_animations_the_first_frame_is_shown_where_it_lies() {
        let frame = |color: Rgb<u8>, x: u8, y: u8| {
            let picture = file(RgbImage::from_pixel(40, 30, color), ImageFormat::WebP)[12..].to_vec();
            let head = [x / 2, 0, 0, y / 2, 0, 0, 39, 0, 0, 29, 0, 0, 100, 0, 0, 0];
            chunked(b"ANMF", &[&head[..], &picture].concat())
        };
        for background in [[0; 4], [255, 0, 255, 255]] {
            let start = chunked(b"ANIM", &[&background[..], &[0, 0]].concat());
            let whole = webp(&[extended(0x02), start.clone(), frame(RED, 20, 10), frame(BLUE, 0, 0)]);
            // Of the second frame nothing is needed.
            let cut = whole[..whole.len() - 5].to_vec();
            for upload in [whole, webp(&[extended(0x3E), frame(RED, 20, 10)]), cut] {
                let [rendition] = fit(&upload, [80]);
                assert_eq!((rendition.format, size(&rendition)), (Format::Png, (80, 70)));
                let pixels = pixels(&rendition);
                assert_color(&pixels, (20, 10), RED);
                assert_color(&pixels, (59, 39), RED);
                for (x, y) in [(19, 10), (20, 9), (60, 39), (59, 40), (0, 0)] {
                    assert_eq!(pixels.to_rgba8().get_pixel(x, y).0[3], 0, "{x}, {y}");
                }
            }
        }
        // The same in a GIF of its own size.
        let mut gif = file(RgbImage::from_pixel(40, 30, RED), ImageFormat::Gif);
        gif[6..10].copy_from_slice(&[80, 0, 70, 0]);
        let at = gif.windows(9).position(|part| part == [0x2C, 0, 0, 0, 0, 40, 0, 30, 0]).unwrap();
        gif[at + 1..at + 5].copy_from_slice(&[20, 0, 10, 0]);
        let [rendition] = fit(&gif, [80]);
        assert_eq!((rendition.format, size(&rendition)), (Format::Png, (80, 70)));
        assert_color(&pixels(&rendition), (59, 39), RED);
        assert_eq!(pixels(&rendition).to_rgba8().get_pixel(60, 40).0[3], 0);
    }

    /// A chunk of a PNG, its checksum still to be made.
    fn png_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32).to_be_bytes(), &name[..], body, &[0; 4]].concat()
    }

    #[test]
    fn what_is_no_part_of_a_png_picture_is_passed_over() {
        const HEADER: usize = 33;
        const END: usize = 12;
        let whole = file(noise(80, 70), ImageFormat::Png);
        let wanted = fit(&whole, [80])[0].bytes.clone();
        for (name, body) in [
            (b"tEXt", &b"Comment\0x"[..]),
            (b"tEXt", b""),
            (b"zTXt", b"Comment\0\0\xFF\xFF"),
            (b"iTXt", b"\xFF"),
            (b"iCCP", b"profile\0\0\xFF\xFF\xFF"),
            (b"gAMA", b"x"),
            (b"pHYs", b""),
            (b"tIME", b"x"),
            (b"cHRM", &[0; 31]),
            (b"bKGD", b""),
            (b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]),
            (b"fcTL", &[0; 3]),
            (b"fdAT", b"\0\0\0\x01junk"),
            (b"eXIf", b"junk"),
            (b"abCd", b"junk"),
        ] {
            for at in [HEADER, whole.len() - END] {
                let upload = [&whole[..at], &png_chunk(name, body), &whole[at..]].concat();
                assert_eq!(fit(&upload, [80])[0].bytes, wanted, "{} at {at}", String::from_utf8_lossy(name));
                let mut mended = upload.clone();
                mend_checksums(&mut mended);
                assert_eq!(fit(&mended, [80])[0].bytes, wanted, "{} at {at}", String::from_utf8_lossy(name));
            }
            // Behind the picture it may be cut off.
            let cut = [&whole[..whole.len() - END], &png_chunk(name, body)[..9]].concat();
            assert_eq!(fit(&cut, [80])[0].bytes, wanted);
        }
    }

    #[test]
    fn every_format_is_turned_as_its_exif_says() {
        // Red, blue, green and gray, from the top left in the order of reading.
        let colors = [RED, BLUE, Rgb([20, 160, 20]), Rgb([90; 3])];
        let picture = RgbImage::from_fn(128, 64, |x, y| colors[usize::from(x >= 64) + 2 * usize::from(y >= 32)]);
        let upright = [
            [0, 1, 2, 3],
            [0, 1, 2, 3],
            [1, 0, 3, 2],
            [3, 2, 1, 0],
            [2, 3, 0, 1],
            [0, 2, 1, 3],
            [2, 0, 3, 1],
            [3, 1, 2, 0],
            [1, 3, 0, 2],
            [0, 1, 2, 3],
        ];
        let tiffs = |turn: u8| {
            let little = |kind: u8| {
                [b"II\x2A\0\x08\0\0\0\x01\0\x12\x01", &[kind, 0, 1, 0, 0, 0, turn, 0, 0, 0][..], &[0; 4]].concat()
            };
            let big = |kind: u8, value: [u8; 4]| {
                [b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12", &[0, kind, 0, 0, 0, 1][..], &value, &[0; 4]].concat()
            };
            [little(1), little(3), little(4), big(1, [turn, 0, 0, 0]), big(3, [0, turn, 0, 0]), big(4, [0, 0, 0, turn])]
        };
        let [jpeg, png, lossless, _] = FORMATS.map(|format| file(picture.clone(), format));
        for turn in 0..=9 {
            for tiff in tiffs(turn) {
                let prefixed = [b"Exif\0\0", &tiff[..]].concat();
                let mut app1 = jpeg.clone();
                insert_app1(&mut app1, &prefixed);
                let mut first = app1.clone();
                insert_app1(&mut first, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>");
                let mut between = jpeg.clone();
                insert_app1(&mut between, &[b"Exif\0\0", &tiffs(turn % 8 + 1)[0][..]].concat());
                insert_app1(&mut between, &prefixed);
                let within = |at: usize| {
                    let mut png = [&png[..at], &png_chunk(b"eXIf", &tiff), &png[at..]].concat();
                    mend_checksums(&mut png);
                    png
                };
                let webp_with = |exif: &[u8]| {
                    let canvas = chunked(b"VP8X", &[8, 0, 0, 0, 127, 0, 0, 63, 0, 0]);
                    webp(&[canvas, lossless[12..].to_vec(), chunked(b"EXIF", exif)])
                };
                for (upload, what) in [
                    (app1, "JPEG"),
                    (first, "JPEG, behind XMP"),
                    (between, "JPEG, before another"),
                    (within(33), "PNG"),
                    (within(png.len() - 12), "PNG, at the end"),
                    (webp_with(&tiff), "WebP"),
                    (webp_with(&prefixed), "WebP, with a prefix"),
                ] {
                    let [rendition] = fit(&upload, [128]);
                    let pixels = pixels(&rendition);
                    let (width, height) = size(&rendition);
                    assert_eq!(width > height, !(5..=8).contains(&turn), "{what}, {turn}");
                    for (at, color) in upright[usize::from(turn)].into_iter().enumerate() {
                        let (right, low) = (at as u32 % 2, at as u32 / 2);
                        let at = (width / 4 + right * width / 2, height / 4 + low * height / 2);
                        assert_color(&pixels, at, colors[color]);
                    }
                }
            }
        }
    }

    /// What another program makes of pictures that it has written itself. Skipped where there is none.
    #[test]
    fn imagemagick_shows_the_same() {
        let folder = std::env::temp_dir().join(format!("plaza-pictures-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let source = folder.join("source.png");
        let smooth = RgbImage::from_fn(131, 97, |x, y| Rgb([(2 * x) as u8, (2 * y) as u8, (x + y) as u8]));
        std::fs::write(&source, file(smooth, ImageFormat::Png)).unwrap();
        let convert = |from: &str, options: &[&str], to: &str| {
            let run =
                std::process::Command::new("convert").current_dir(&folder).arg(from).args(options).arg(to).output();
            run.is_ok_and(|run| run.status.success()) && folder.join(to).exists()
        };
        if !convert("source.png", &[], "copy.png") {
            println!("skipped: no ImageMagick");
            return;
        }
        let mut compared = 0;
        for (options, extension) in [
            (&["-quality", "92"][..], "jpg"),
            (&["-quality", "92", "-interlace", "JPEG"], "jpg"),
            (&["-sampling-factor", "1x1"], "jpg"),
            (&["-sampling-factor", "2x1"], "jpg"),
            (&["-sampling-factor", "1x2"], "jpg"),
            (&["-sampling-factor", "2x2"], "jpg"),
            (&["-sampling-factor", "4x1"], "jpg"),
            (&["-sampling-factor", "4x2"], "jpg"),
            (&["-sampling-factor", "1x1,2x1,2x1"], "jpg"),
            (&["-sampling-factor", "1x2,2x1,1x1", "-interlace", "JPEG"], "jpg"),
            (&["-sampling-factor", "1x1,1x2,2x2"], "jpg"),
            (&["-sampling-factor", "2x2,1x1,2x1"], "jpg"),
            (&["-colorspace", "Gray"], "jpg"),
            (&["-colorspace", "Gray", "-sampling-factor", "2x2", "-interlace", "JPEG"], "jpg"),
            (&["-colorspace", "RGB", "-set", "colorspace", "RGB"], "jpg"),
            (&["-interlace", "PNG"], "png"),
            (&["-depth", "16", "-define", "png:bit-depth=16"], "png"),
            (&["-colors", "200", "-define", "png:color-type=3"], "png"),
            (&["-colors", "11", "-define", "png:color-type=3", "-interlace", "PNG"], "png"),
            (&["-colorspace", "Gray", "-depth", "2"], "png"),
            (&["-monochrome"], "png"),
            (&["-colors", "50"], "gif"),
            (&["-colors", "2", "-interlace", "GIF"], "gif"),
            (&["-quality", "90"], "webp"),
            (&["-define", "webp:lossless=true"], "webp"),
        ] {
            let name = format!("upload.{extension}");
            if !convert("source.png", options, &name) {
                println!("skipped: {options:?} to {extension}");
                continue;
            }
            assert!(convert(
                &name,
                &["-colorspace", "sRGB", "-depth", "8", "-define", "png:color-type=2"],
                "shown.png"
            ));
            let shown = image::load_from_memory(&std::fs::read(folder.join("shown.png")).unwrap()).unwrap().to_rgb8();
            let ours = Picture::open(&std::fs::read(folder.join(&name)).unwrap(), "avatar").unwrap().pixels.to_rgb8();
            assert_eq!(ours.dimensions(), shown.dimensions(), "{options:?}");
            let far: u64 = ours.iter().zip(shown.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            assert!(far <= 3 * ours.len() as u64, "{extension}, {options:?}: {far} in {}", ours.len());
            compared += 1;
        }
        std::fs::remove_dir_all(&folder).unwrap();
        println!("{compared} compared");
    }
}
