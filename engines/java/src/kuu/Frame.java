package kuu;

/** The user and the time, in seconds, of a frame. */
public record Frame(String uid, long ts) {}
