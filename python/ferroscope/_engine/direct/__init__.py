"""The direct way: requests that the native transport sends without the SDK and its HTTP library.

The SDK builds the first request of a function and a client, which is not sent. Requests after that differ in their
body only. If a response is not a plain success, the SDK receives it as the result of its first attempt. So its own
code retries and raises.
"""
