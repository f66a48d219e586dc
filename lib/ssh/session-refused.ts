/** What ssh2 says where the server allows no further session in a connection; it knows it by these words alone. */
export const NO_SESSION = /open failure|prohibited|resource shortage|open failed/i;
