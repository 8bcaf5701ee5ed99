//! The one thing in a picture's metadata that changes how it looks: how the camera was held.
use image::metadata::Orientation;

/// What a block of Exif says, in its first folder. Its number may be of any whole type: cameras write a SHORT, some
/// programs a LONG or a BYTE.
pub fn orientation(exif: &[u8]) -> Option<Orientation> {
    const TAG: u32 = 0x112;
    // In a JPEG always, in the others sometimes; its last byte is a filling.
    let tiff = if exif.starts_with(b"Exif\0") { exif.get(6..)? } else { exif };
    let little = match tiff.first_chunk()? {
        b"II\x2A\0" => true,
        b"MM\0\x2A" => false,
        _ => return None,
    };
    let number = |at: usize, size: usize| {
        let bytes = tiff.get(at..)?.get(..size)?;
        let next = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        Some(if little { bytes.iter().rev().fold(0, next) } else { bytes.iter().fold(0, next) })
    };
    let folder = number(4, 4)? as usize;
    let entries = (0..number(folder, 2)? as usize).map(|entry| folder + 2 + 12 * entry);
    entries.take_while(|at| *at < tiff.len()).find_map(|at| {
        let size = match number(at + 2, 2)? {
            1 | 6 => 1,
            3 | 8 => 2,
            4 | 9 => 4,
            _ => return None,
        };
        let here = number(at, 2)? == TAG && number(at + 4, 4)? == 1;
        Orientation::from_exif(number(at + 8, size).filter(|_| here)?.try_into().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of one camera's name and one orientation.
    fn exif(little: bool, kind: u16, count: u32, value: &[u8]) -> Vec<u8> {
        let short = |number: u16| if little { number.to_le_bytes() } else { number.to_be_bytes() };
        let long = |number: u32| if little { number.to_le_bytes() } else { number.to_be_bytes() };
        let mut exif = if little { b"II\x2A\0".to_vec() } else { b"MM\0\x2A".to_vec() };
        exif.extend([&long(8)[..], &short(2), &short(0x10F), &short(2), &long(4), b"cam\0"].concat());
        exif.extend([&short(0x112)[..], &short(kind), &long(count), value].concat());
        exif.resize(8 + 2 + 12 * 2 + 4, 0);
        exif
    }

    #[test]
    fn orientation_is_read_in_every_whole_type_and_byte_order() {
        for wanted in 0..=u8::MAX {
            let number = u16::from(wanted);
            for (kind, little, big) in [
                (1, vec![wanted], vec![wanted]),
                (6, vec![wanted], vec![wanted]),
                (3, number.to_le_bytes().into(), number.to_be_bytes().into()),
                (8, number.to_le_bytes().into(), number.to_be_bytes().into()),
                (4, u32::from(number).to_le_bytes().into(), u32::from(number).to_be_bytes().into()),
                (9, u32::from(number).to_le_bytes().into(), u32::from(number).to_be_bytes().into()),
            ] {
                for exif in [exif(true, kind, 1, &little), exif(false, kind, 1, &big)] {
                    // 0 and what is beyond 8 means nothing.
                    assert_eq!(orientation(&exif), Orientation::from_exif(wanted), "{exif:?}");
                    for prefix in [&b"Exif\0\0"[..], b"Exif\0\xFF"] {
                        assert_eq!(orientation(&[prefix, &exif].concat()), Orientation::from_exif(wanted));
                    }
                }
            }
        }
    }

    #[test]
    fn what_says_nothing_readable_says_nothing() {
        let good = exif(true, 3, 1, &[6, 0]);
        assert_eq!(orientation(&good), Some(Orientation::Rotate90));
        for bad in [
            exif(true, 3, 1, &[6, 1]),
            exif(true, 4, 1, &[6, 0, 1, 0]),
            exif(true, 3, 0, &[6, 0]),
            exif(true, 2, 1, &[6, 0]),
            exif(true, 5, 1, &[6, 0]),
            [b"II\0\x2A", &good[4..]].concat(),
            [b"II\x2A\0\xFF\xFF\xFF\xFF", &good[8..]].concat(),
            good[..30].to_vec(),
            b"Exif\0".to_vec(),
            vec![],
        ] {
            assert_eq!(orientation(&bad), None, "{bad:?}");
        }
        for length in 0..good.len() {
            orientation(&good[..length]);
        }
    }
}
