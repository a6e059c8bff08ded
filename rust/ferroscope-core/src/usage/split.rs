//! Splits a total and its overlapping parts into counts that do not overlap.

use super::{Segment, Unit, Unreadable};

/// The prompt counts, as reported.
#[derive(Debug, Default, Clone)]
pub(super) struct Prompt {
    /// All tokens of the prompt, including cached ones.
    pub whole: i128,
    pub read: i128,
    pub write: i128,
    pub write_hour: i128,
    /// The parts of the total by modality.
    pub parts: Modalities,
    /// The parts of `read` by modality, if reported.
    pub read_parts: Modalities,
}

/// The counts of tokens that are not text.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Modalities {
    pub audio: i128,
    pub image: i128,
    pub video: i128,
}

impl Modalities {
    fn each(self) -> [i128; 3] {
        [self.audio, self.image, self.video]
    }

    fn sum(self) -> i128 {
        self.each().iter().sum()
    }
}

const FRESH: [Unit; 3] = [Unit::InputAudio, Unit::InputImage, Unit::InputVideo];
const READ: [Unit; 3] = [Unit::CacheReadAudio, Unit::CacheReadImage, Unit::CacheReadVideo];
const MADE: [Unit; 3] = [Unit::OutputAudio, Unit::OutputImage, Unit::OutputVideo];

fn exceeds(part: &str, whole: &str) -> Unreadable {
    Unreadable::Inconsistent(format!("{part} exceed {whole}"))
}

impl Prompt {
    /// Adds the prompt counts to a segment.
    pub(super) fn split(&self, segment: &mut Segment) -> Result<(), Unreadable> {
        let written = self.write + self.write_hour;
        if self.read > self.whole {
            return Err(exceeds("cached tokens", "the prompt"));
        }
        if self.read + written > self.whole {
            return Err(exceeds("cached and written tokens", "the prompt"));
        }
        if self.parts.sum() > self.whole {
            return Err(exceeds("audio, image and video tokens", "the prompt"));
        }
        if self.read_parts.sum() > self.read {
            return Err(exceeds("cached audio, image and video tokens", "the cached tokens"));
        }
        let mut read = self.read_parts.each();
        let mut text = self.whole - self.parts.sum();
        let text_read = self.read - self.read_parts.sum();
        // Not every provider reports the modality of cached tokens. They count as text, up to the text of the prompt.
        let mut beyond = text_read + written - text;
        if beyond > 0 {
            for (part, cached) in self.parts.each().iter().zip(&mut read) {
                let moved = beyond.min(part - *cached).max(0).min(text_read);
                *cached += moved;
                beyond -= moved;
            }
            if beyond > 0 {
                return Err(exceeds("cached text tokens", "the text of the prompt"));
            }
        }
        let text_read = self.read - read.iter().sum::<i128>();
        text -= text_read + written;
        segment.add(Unit::Input, text);
        for (at, part) in self.parts.each().into_iter().enumerate() {
            if read[at] > part {
                return Err(exceeds("cached tokens of a modality", "that modality"));
            }
            segment.add(FRESH[at], part - read[at]);
        }
        segment.add(Unit::CacheRead, text_read);
        for (unit, cached) in READ.into_iter().zip(read) {
            segment.add(unit, cached);
        }
        segment.add(Unit::CacheWrite, self.write);
        segment.add(Unit::CacheWriteHour, self.write_hour);
        segment.prompt += self.whole;
        Ok(())
    }
}

/// The output counts, as reported.
#[derive(Debug, Default, Clone)]
pub(super) struct Output {
    /// All generated tokens.
    pub whole: i128,
    pub reasoning: i128,
    pub citations: i128,
    pub parts: Modalities,
}

impl Output {
    /// Adds the output counts to a segment.
    pub(super) fn split(&self, segment: &mut Segment) -> Result<(), Unreadable> {
        let rest = self.whole - self.reasoning - self.citations - self.parts.sum();
        if rest < 0 {
            return Err(exceeds("reasoning, citations, audio and images", "the output"));
        }
        segment.add(Unit::Output, rest);
        segment.add(Unit::OutputReasoning, self.reasoning);
        segment.add(Unit::OutputCitation, self.citations);
        for (unit, count) in MADE.into_iter().zip(self.parts.each()) {
            segment.add(unit, count);
        }
        Ok(())
    }
}
