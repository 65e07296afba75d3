package org.eclipse.jetty.toolchain.test;

/** What the cases use of a library of tests that is no Debian package. */
public final class Hex
{
    private Hex()
    {
    }

    public static byte[] asByteArray(String digits)
    {
        byte[] bytes = new byte[digits.length() / 2];
        for (int i = 0; i < bytes.length; i++)
        {
            bytes[i] = (byte)Integer.parseInt(digits.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }
}
