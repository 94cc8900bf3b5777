"""What tests share: real servers, APIs that misbehave, clients that listen. Never holds a test."""
