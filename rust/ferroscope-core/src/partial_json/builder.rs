//! Builds the value of a document while its text arrives, in whatever store has the values.
//!
//! Containers are made once and only touched where the text goes on. What a feed did is a list of [`Edit`]s, in the
//! order of the text, from which a reader can repeat it.

use super::error::Error;
use super::parser::{Parser, Scalar, Sink};
use super::rules::Rules;

/// Makes and changes values. A value is a handle: two handles to one container show the same members.
pub trait Store {
    /// A handle to a value.
    type Value;
    /// The name of a member.
    type Key;
    /// Why a value cannot be made or changed.
    type Error;

    /// Makes an empty object.
    ///
    /// # Errors
    /// As the store has them; so for all methods.
    fn object(&mut self) -> Result<Self::Value, Self::Error>;
    /// Makes an empty array.
    fn array(&mut self) -> Result<Self::Value, Self::Error>;
    /// Makes a string.
    fn text(&mut self, text: &str) -> Result<Self::Value, Self::Error>;
    /// Makes a value that has no parts.
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Self::Value, Self::Error>;
    /// Makes the name of a member.
    fn key(&mut self, name: &str) -> Self::Key;
    /// Another handle to a value.
    fn share(&self, value: &Self::Value) -> Self::Value;
    /// Another handle to a name.
    fn share_key(&self, key: &Self::Key) -> Self::Key;
    /// The value at a slot of a container.
    fn get(
        &self,
        container: &Self::Value,
        slot: &Slot<Self::Key>,
    ) -> Result<Option<Self::Value>, Self::Error>;
    /// Puts a value at a slot of a container; at the end of an array that appends it.
    fn set(
        &mut self,
        container: &Self::Value,
        slot: &Slot<Self::Key>,
        value: Self::Value,
    ) -> Result<(), Self::Error>;
    /// Removes the last member or item of a container.
    fn remove(&mut self, container: &Self::Value, slot: &Slot<Self::Key>) -> Result<(), Self::Error>;
    /// Lets a container give up its handle to the string at a slot, which is about to grow and be put back.
    fn release(&mut self, container: &Self::Value, slot: &Slot<Self::Key>) -> Result<(), Self::Error>;
    /// The string with more text at its end.
    fn append(&mut self, text: Self::Value, more: &str) -> Result<Self::Value, Self::Error>;
}

/// Where a value is in its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot<K> {
    /// A member of an object.
    Name(K),
    /// An item of an array.
    Index(usize),
}

/// Where a value is in the document.
#[derive(Debug, Clone)]
pub enum Place<V, K> {
    /// It is the document.
    Root,
    /// It is in a container.
    In(V, Slot<K>),
}

impl<V, K> Place<V, K> {
    /// Where it is in its container; None for the document.
    #[must_use]
    pub fn slot(&self) -> Option<&Slot<K>> {
        match self {
            Self::Root => None,
            Self::In(_, slot) => Some(slot),
        }
    }

    fn share<S: Store<Value = V, Key = K>>(&self, store: &S) -> Self {
        match self {
            Self::Root => Self::Root,
            Self::In(container, slot) => {
                let slot = match slot {
                    Slot::Name(key) => Slot::Name(store.share_key(key)),
                    Slot::Index(at) => Slot::Index(*at),
                };
                Self::In(store.share(container), slot)
            }
        }
    }
}

/// A kind of [`Edit`]. The numbers are those that bindings hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// An object opens and becomes the innermost container.
    OpenObject = 0,
    /// An array opens and becomes the innermost container.
    OpenArray = 1,
    /// The innermost container is complete.
    Close = 2,
    /// An unfinished string or scalar shows.
    Grow = 3,
    /// A value is complete.
    Done = 4,
    /// What showed is withdrawn.
    Drop = 5,
    /// Nothing shows any more.
    Reset = 6,
}

/// A change that a feed made.
#[derive(Debug, Clone)]
pub struct Edit<V, K> {
    /// What happened.
    pub code: Code,
    /// Where.
    pub place: Place<V, K>,
    /// The container or complete scalar. A string that grows is read at its place, so that nothing else has it.
    pub value: Option<V>,
}

/// Why a feed failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure<E> {
    /// The text is not JSON, or exceeds a limit.
    Json(Error),
    /// The store failed.
    Store(E),
}

/// The steps from the document to a value.
pub type Path<'a, K> = Vec<&'a Slot<K>>;

/// A [`Parser`] and the value that it has read so far.
#[derive(Debug, Clone)]
pub struct Builder<V, K> {
    parser: Parser,
    tree: Tree<V, K>,
}

#[derive(Debug, Clone)]
struct Tree<V, K> {
    root: Option<V>,
    open: Vec<Frame<V, K>>,
    /// Where the open string is, and what this feed added to it.
    text_place: Option<Place<V, K>>,
    text: String,
    text_is_new: bool,
    /// Where the provisional scalar is, and what it hides.
    provisional: Option<(Place<V, K>, Option<V>)>,
    edits: Vec<Edit<V, K>>,
}

/// An open container.
#[derive(Debug, Clone)]
struct Frame<V, K> {
    container: V,
    place: Place<V, K>,
    next: Next<K>,
}

/// Where the next value of a container goes.
#[derive(Debug, Clone)]
enum Next<K> {
    /// Under the last key; the parser sends one before every value.
    Member(Option<K>),
    Item(usize),
}

impl<V, K> Builder<V, K> {
    /// A builder of which nothing has been read.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let tree = Tree {
            root: None,
            open: Vec::new(),
            text_place: None,
            text: String::new(),
            text_is_new: false,
            provisional: None,
            edits: Vec::new(),
        };
        Self { parser: Parser::new(rules), tree }
    }

    /// Reads more of the text, and returns whether anything visible changed.
    ///
    /// # Errors
    /// See [`Parser::feed`]; the value stays readable. Or the store failed.
    pub fn feed<S>(&mut self, store: &mut S, bytes: &[u8]) -> Result<bool, Failure<S::Error>>
    where
        S: Store<Value = V, Key = K>,
    {
        self.drive(store, |parser, feed| parser.feed(bytes, feed))
    }

    /// Ends the text, and returns whether anything visible changed.
    ///
    /// # Errors
    /// See [`Parser::finish`]; the value stays readable. Or the store failed.
    pub fn finish<S>(&mut self, store: &mut S) -> Result<bool, Failure<S::Error>>
    where
        S: Store<Value = V, Key = K>,
    {
        self.drive(store, |parser, feed| parser.finish(feed))
    }

    fn drive<S>(
        &mut self,
        store: &mut S,
        read: impl FnOnce(&mut Parser, &mut Feed<'_, S>) -> Result<(), Error>,
    ) -> Result<bool, Failure<S::Error>>
    where
        S: Store<Value = V, Key = K>,
    {
        self.tree.edits.clear();
        let mut feed = Feed { tree: &mut self.tree, store, failed: None };
        let outcome = read(&mut self.parser, &mut feed);
        if let Some(error) = feed.failed {
            return Err(Failure::Store(error));
        }
        self.tree.flush_text(store, false).map_err(Failure::Store)?;
        outcome.map_err(Failure::Json)?;
        Ok(!self.tree.edits.is_empty())
    }

    /// The value so far; None while nothing shows.
    #[must_use]
    pub fn root(&self) -> Option<&V> {
        self.tree.root.as_ref()
    }

    /// The state machine, for offsets and completeness.
    #[must_use]
    pub const fn parser(&self) -> &Parser {
        &self.parser
    }

    /// What the last feed did.
    #[must_use]
    pub fn edits(&self) -> &[Edit<V, K>] {
        &self.tree.edits
    }

    /// The value at a place.
    ///
    /// # Errors
    /// The store failed.
    pub fn value_at<S>(&self, store: &S, place: &Place<V, K>) -> Result<Option<V>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        self.tree.get(store, place)
    }

    /// The steps from the document to where the text goes on: nothing on this way is complete, all else that shows is.
    #[must_use]
    pub fn open_path(&self) -> Path<'_, K> {
        let tree = &self.tree;
        let mut path = tree.containers();
        let leaf = tree.text_place.as_ref().or(tree.provisional.as_ref().map(|(place, _)| place));
        path.extend(leaf.and_then(Place::slot));
        path
    }

    /// What the last feed touched, in order, and whether it is complete now. A value that was withdrawn shows as a
    /// change of its container.
    #[must_use]
    pub fn changes(&self) -> Vec<(Path<'_, K>, bool)> {
        // Walk back from where the text is now: a container that closed was open before, and the reverse.
        let mut path = self.tree.containers();
        let mut found = Vec::with_capacity(self.tree.edits.len());
        for edit in self.tree.edits.iter().rev() {
            let slot = edit.place.slot();
            if matches!(edit.code, Code::OpenObject | Code::OpenArray) && slot.is_some() {
                path.pop();
            }
            let whole = path.iter().copied().chain(slot).collect();
            match edit.code {
                Code::Reset => break,
                Code::Drop => found.push((path.clone(), false)),
                Code::Done => found.push((whole, true)),
                Code::OpenObject | Code::OpenArray | Code::Grow => found.push((whole, false)),
                Code::Close => {
                    found.push((whole, true));
                    path.extend(slot);
                }
            }
        }
        found.reverse();
        found
    }
}

impl<V, K> Tree<V, K> {
    /// The steps to the innermost open container.
    fn containers(&self) -> Path<'_, K> {
        self.open.iter().filter_map(|frame| frame.place.slot()).collect()
    }

    /// Where the next value goes.
    fn place<S: Store<Value = V, Key = K>>(&self, store: &S) -> Place<V, K> {
        let Some(frame) = self.open.last() else { return Place::Root };
        let slot = match &frame.next {
            Next::Item(at) => Slot::Index(*at),
            Next::Member(Some(key)) => Slot::Name(store.share_key(key)),
            Next::Member(None) => return Place::Root,
        };
        Place::In(store.share(&frame.container), slot)
    }

    fn get<S>(&self, store: &S, place: &Place<V, K>) -> Result<Option<V>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        match place {
            Place::Root => Ok(self.root.as_ref().map(|root| store.share(root))),
            Place::In(container, slot) => store.get(container, slot),
        }
    }

    fn set<S>(&mut self, store: &mut S, place: &Place<V, K>, value: V) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        match place {
            Place::Root => {
                self.root = Some(value);
                Ok(())
            }
            Place::In(container, slot) => store.set(container, slot, value),
        }
    }

    /// Puts a value where the next one goes, and returns where that was.
    fn attach<S>(&mut self, store: &mut S, value: V) -> Result<Place<V, K>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let place = self.place(store);
        self.set(store, &place, value)?;
        self.advance(1);
        Ok(place)
    }

    /// Moves the place of the next value of an array.
    fn advance(&mut self, by: isize) {
        if let Some(Next::Item(at)) = self.open.last_mut().map(|frame| &mut frame.next) {
            *at = at.saturating_add_signed(by);
        }
    }

    fn open<S>(&mut self, store: &mut S, container: V, code: Code, next: Next<K>) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let place = self.attach(store, store.share(&container))?;
        self.edit(code, place.share(store), Some(store.share(&container)));
        self.open.push(Frame { container, place, next });
        Ok(())
    }

    fn edit(&mut self, code: Code, place: Place<V, K>, value: Option<V>) {
        self.edits.push(Edit { code, place, value });
    }

    /// Brings what this feed added to the open string into the value.
    fn flush_text<S>(&mut self, store: &mut S, done: bool) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let Some(place) = self.text_place.take() else {
            return Ok(());
        };
        if std::mem::take(&mut self.text_is_new) {
            let text = store.text(&self.text)?;
            self.set(store, &place, text)?;
        } else if !self.text.is_empty() {
            let text = self.take(store, &place)?;
            if let Some(text) = text {
                let text = store.append(text, &self.text)?;
                self.set(store, &place, text)?;
            }
        } else if !done {
            self.text_place = Some(place);
            return Ok(());
        }
        self.text.clear();
        if done {
            let text = self.get(store, &place)?;
            self.edit(Code::Done, place, text);
        } else {
            self.edit(Code::Grow, place.share(store), None);
            self.text_place = Some(place);
        }
        Ok(())
    }

    /// Takes a string out of its place: a string with one handle can grow without a copy.
    fn take<S>(&mut self, store: &mut S, place: &Place<V, K>) -> Result<Option<V>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        match place {
            Place::Root => Ok(self.root.take()),
            Place::In(container, slot) => {
                let text = store.get(container, slot)?;
                store.release(container, slot)?;
                Ok(text)
            }
        }
    }

    fn withdraw<S>(&mut self, store: &mut S, place: Place<V, K>, hidden: Option<V>) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        if let Some(hidden) = hidden {
            self.set(store, &place, store.share(&hidden))?;
            self.edit(Code::Done, place, Some(hidden));
            return Ok(());
        }
        match &place {
            Place::Root => self.root = None,
            Place::In(container, slot) => {
                store.remove(container, slot)?;
                self.advance(-1);
            }
        }
        self.edit(Code::Drop, place, None);
        Ok(())
    }

    fn provisional<S>(&mut self, store: &mut S, scalar: Option<Scalar<'_>>) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let known = self.provisional.take();
        let Some(scalar) = scalar else {
            return match known {
                Some((place, hidden)) => self.withdraw(store, place, hidden),
                None => Ok(()),
            };
        };
        let value = store.scalar(scalar)?;
        let (place, hidden) = match known {
            Some((place, hidden)) => {
                self.set(store, &place, value)?;
                (place, hidden)
            }
            None => {
                // A key that comes twice hides its earlier value.
                let hidden = match self.place(store) {
                    place @ Place::In(_, Slot::Name(_)) => self.get(store, &place)?,
                    _ => None,
                };
                (self.attach(store, value)?, hidden)
            }
        };
        self.edit(Code::Grow, place.share(store), None);
        self.provisional = Some((place, hidden));
        Ok(())
    }
}

/// A tree with its store at hand; the first error of the store stops it.
struct Feed<'a, S: Store> {
    tree: &'a mut Tree<S::Value, S::Key>,
    store: &'a mut S,
    failed: Option<S::Error>,
}

impl<S: Store> Feed<'_, S> {
    fn attempt(&mut self, act: impl FnOnce(&mut Tree<S::Value, S::Key>, &mut S) -> Result<(), S::Error>) {
        if self.failed.is_none() {
            self.failed = act(self.tree, self.store).err();
        }
    }
}

impl<S: Store> Sink for Feed<'_, S> {
    fn object(&mut self) {
        self.attempt(|tree, store| {
            let container = store.object()?;
            tree.open(store, container, Code::OpenObject, Next::Member(None))
        });
    }

    fn array(&mut self) {
        self.attempt(|tree, store| {
            let container = store.array()?;
            tree.open(store, container, Code::OpenArray, Next::Item(0))
        });
    }

    fn close(&mut self) {
        if let Some(frame) = self.tree.open.pop() {
            self.tree.edit(Code::Close, frame.place, Some(frame.container));
        }
    }

    fn key(&mut self, name: &str) {
        if let Some(Next::Member(key)) = self.tree.open.last_mut().map(|frame| &mut frame.next) {
            *key = Some(self.store.key(name));
        }
    }

    fn string(&mut self) {
        self.attempt(|tree, store| {
            tree.text.clear();
            tree.text_is_new = true;
            // The place is taken now; the text comes with the end of the string or of the feed.
            let blank = store.scalar(Scalar::Null)?;
            tree.text_place = Some(tree.attach(store, blank)?);
            Ok(())
        });
    }

    fn grow(&mut self, more: &str) {
        self.tree.text.push_str(more);
    }

    fn end_string(&mut self) {
        self.attempt(|tree, store| tree.flush_text(store, true));
    }

    fn scalar(&mut self, scalar: Scalar<'_>) {
        self.attempt(|tree, store| {
            let value = store.scalar(scalar)?;
            let shown = store.share(&value);
            let place = match tree.provisional.take() {
                Some((place, _)) => {
                    tree.set(store, &place, shown)?;
                    place
                }
                None => tree.attach(store, shown)?,
            };
            tree.edit(Code::Done, place, Some(value));
            Ok(())
        });
    }

    fn provisional(&mut self, scalar: Option<Scalar<'_>>) {
        self.attempt(|tree, store| tree.provisional(store, scalar));
    }

    fn reset(&mut self) {
        self.tree.root = None;
        self.tree.open.clear();
        self.tree.edit(Code::Reset, Place::Root, None);
    }
}
